"""A fitted model as plain numbers and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.mastery.ability import AbilityModel
from analysis.mastery.arrays import Integers, Truths
from analysis.mastery.factor import SkillPrior
from analysis.mastery.higher_order import HigherOrderModel
from analysis.mastery.items import Success
from analysis.mastery.model import MasteryModel
from analysis.mastery.profile import HeldGroups, ProfileModel
from analysis.mastery.structure import list_profiles, topological_order

SUCCESS = ("mean", "right", "wrong")
HIGHER_ORDER = ("parent", "item_skill")


def dump_model(model: MasteryModel) -> dict[str, Any]:
    """Return a fitted model as lists and numbers that JSON can hold."""
    fitted = model.skill_model_
    stored = {
        "q_matrix": model.q_matrix_.tolist(),
        "skill_names": [str(name) for name in model.skill_names_],
        "prerequisites": np.argwhere(model.prerequisites_).tolist(),
        "item_weight": np.asarray(model.item_weight, dtype=float).tolist(),
        "random_state": model.random_state,
        "skill_share": model.skill_share_,
        "ability": _dump(model.ability_model_, ("slope", "easiness", "density")),
        "skills": _dump(fitted.skills, ("slope", "easiness")),
    }
    if isinstance(fitted, ProfileModel):
        held = HeldGroups(model.q_matrix_, fitted.profiles)
        success = {
            name: [
                held.of_groups(item, row) for item, row in enumerate(getattr(fitted.success, name))
            ]
            for name in SUCCESS
        }
        return stored | {"kind": "profiles", "success": success, "lift": fitted.lift.tolist()}
    success = _dump(fitted.success, SUCCESS)
    return stored | {"kind": "higher order", "success": success} | _dump(fitted, HIGHER_ORDER)


def load_model(stored: Mapping[str, Any]) -> MasteryModel:
    """Return the fitted model that :func:`dump_model` stored."""
    q = np.array(stored["q_matrix"], dtype=int)
    names = stored["skill_names"]
    before = np.zeros((len(names), len(names)), dtype=bool)
    for first, then in stored["prerequisites"]:
        before[first, then] = True
    weight = np.array(stored["item_weight"])
    model = MasteryModel(
        pd.DataFrame(q, columns=names), before, stored["random_state"], item_weight=weight
    )
    model.q_matrix_, model.prerequisites_, model.skill_names_ = q, before, names
    model.n_features_in_, model._n_features_out = q.shape
    model.skill_share_ = stored["skill_share"]
    model.ability_model_ = AbilityModel(**_arrays(stored["ability"]))
    model.skill_model_ = _load_skill_model(stored, q, before)
    return model


def _load_skill_model(
    stored: Mapping[str, Any], q: Integers, before: Truths
) -> ProfileModel | HigherOrderModel:
    skills = SkillPrior(**_arrays(stored["skills"]))
    profiles = list_profiles(before)
    if profiles is not None:
        held = HeldGroups(q, profiles)
        by_profile = {
            name: np.array([held.of_profiles(item, row) for item, row in enumerate(rows)])
            for name, rows in stored["success"].items()
        }
        lift = np.array(stored["lift"])
        return ProfileModel(profiles, before, q, Success(**by_profile), skills, lift)
    order = np.array(topological_order(before))
    fields = _arrays({name: stored[name] for name in HIGHER_ORDER})
    success = Success(**_arrays(stored["success"]))
    return HigherOrderModel(before=before, order=order, success=success, skills=skills, **fields)


def _dump(fitted: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(fitted, name).tolist() for name in names}


def _arrays(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: np.array(values) for name, values in stored.items()}
