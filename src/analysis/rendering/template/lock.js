"use strict";
// Opens a sealed page with the browser's own WebCrypto. Nothing is stored, nothing is asked for.
(() => {
  const lock = document.getElementById("lock");
  const typed = document.getElementById("passphrase");
  const told = document.getElementById("told");
  const open = document.getElementById("open");
  const shown = document.getElementById("shown");
  const words = { ...lock.dataset };
  let files = null;
  let start = "";

  const say = (message) => { told.textContent = message; };
  const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const encode = (text) => new TextEncoder().encode(text);

  // As in Python: capitals, spaces for dashes and other forms of a letter make no difference.
  const normalForm = (text) => text.normalize("NFKC").toLowerCase()
    .replace(/[‐‑‒–—_,-]/g, " ").trim().split(/\s+/).join("-");

  const unseal = async (passphrase) => {
    const [, rounds, salt, nonce] = words.header.split(";");
    const sealed = bytes(document.getElementById("sealed").textContent);
    const material = await crypto.subtle.importKey(
      "raw", encode(passphrase), "PBKDF2", false, ["deriveKey"]);
    const key = await crypto.subtle.deriveKey(
      { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations: Number(rounds) },
      material, { name: "AES-GCM", length: 256 }, false, ["decrypt"]);
    const packed = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: bytes(nonce), additionalData: encode(words.header) }, key, sealed);
    return JSON.parse(new TextDecoder().decode(packed));
  };

  // Not document.write and no frame: this policy stays in force, and all pages are printed.
  const show = (name) => {
    const page = new DOMParser().parseFromString(
      new TextDecoder().decode(bytes(files[name])), "text/html");
    document.replaceChild(document.adoptNode(page.documentElement), document.documentElement);
    const main = document.querySelector("main") || document.body;
    if (name !== start) {
      const back = document.createElement("a");
      back.href = "#";
      back.className = "screen";
      back.textContent = words.back;
      main.prepend(back);
    }
    main.tabIndex = -1;
    main.style.outline = "none";
    main.focus();
    window.scrollTo(0, 0);
  };

  const save = (name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes(files[name])]));
    link.download = name.split("/").pop();
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };

  const pages = () => Object.keys(files).filter((name) => name.endsWith(".html")).sort();

  const follow = () => {
    const chosen = /^#page-(\d+)$/.exec(location.hash);
    if (files && (chosen || location.hash === "")) show(chosen ? pages()[chosen[1]] : start);
  };

  const tryToOpen = async () => {
    if (!document.getElementById(words.end)) return say(words.incomplete);
    if (!window.crypto || !crypto.subtle) return say(words.unable);
    const passphrase = normalForm(typed.value);
    if (!passphrase) return say(words.empty);
    say(words.opening);
    open.disabled = true;
    try {
      ({ files, start } = await unseal(passphrase));
    } catch {
      say(words.refused);
      open.disabled = false;
      typed.focus();
      typed.select();
      return undefined;
    }
    typed.value = "";
    return follow();
  };

  open.addEventListener("click", tryToOpen);
  typed.addEventListener("keydown", (event) => { if (event.key === "Enter") tryToOpen(); });
  shown.addEventListener("change", () => { typed.type = shown.checked ? "text" : "password"; });
  window.addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    const link = files && event.target.closest && event.target.closest("a[href]");
    const name = link && link.getAttribute("href");
    if (!name || !Object.hasOwn(files, name)) return;
    event.preventDefault();
    if (name.endsWith(".html")) location.hash = `page-${pages().indexOf(name)}`;
    else save(name);
  });
  typed.focus();
})();
