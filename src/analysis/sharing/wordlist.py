"""The words of passphrases: 1,024 plain English ones, easy to say, read out and type."""

_LISTED = """
able acorn actor adobe agree album alert alley almond alpha amber ample anchor angle ankle
answer apple april apron arch arena argue arrow artist aspen atlas attic august aunt autumn
awake award axis baby bacon badge bagel bake ball bamboo banana banjo bank barley barn barrel
basil basket bath beach beacon bead beam bean bear beaver become bell belt bench berry bingo
birch bird bison blend bloom blue board boat bonus book boot border bottle bounce bowl box
branch brave bread breeze brick bridge bright bring broad bronze brook broom brown brush bubble
bucket build bundle butter button cabin cable cactus cake calm camel camera camp canal candle
canoe canvas canyon card cargo carpet carrot cart castle catch cattle cave cedar celery cellar
cello center cereal chain chair chalk change charm chart cheese cherry chess chest chili chime
choice chorus cider cinema circle circus city clam clap clay clean clever cliff climb cloak
clock cloud clover coach coast cobalt cocoa coffee coin collar color comet comic common copper
coral corn corner cotton couch course cousin cover cowboy coyote crab cradle crane crayon cream
creek crew crisp crop crow crown cube cup curve cycle daily dairy daisy dance dancer dawn decade
decent deck deer delta denim depth desert desk detail dial diary dinner dipper direct dish dock
doctor domino donkey door double dough dove dozen dragon drawer dream dress drift drive drum
duck dune dusk duty eager eagle early earth easel east easy echo edge editor effort eight elbow
elder eleven elk elm ember empire empty engine enjoy equal errand escape even event every exact
extra fable fabric fair falcon family famous fancy farm farmer father feast fence fern ferry
fiddle field fifty figure final finch finger finish fire first fish five flag flame flash flavor
flight float flock floor flour flower flute focus foggy folder follow forest fork fossil four
fox frame free fresh friend frog frost fruit fudge funny gadget galaxy gallon game garage garden
garlic gate gather gecko gentle geyser giant gift ginger give glad glass glide globe glove glow
glue goal goat gold golf good goose grain grand grape grass gravel great green grid grin ground
group grove grow guard guest guide guitar gulf gym habit half hall hammer hand handle happy
harbor harp hat hawk hazel heart heavy hedge helium hello helmet help hero heron hidden hill
hinge hobby hockey holly home honest honey hood hope horn horse hotel hour house human humble
humor husky icicle idea igloo image indigo inlet insect inside invite iris iron island item
ivory jacket jaguar jar jazz jeans jelly jewel jigsaw jingle joke judge juice july jumbo jump
june jungle jury kayak keen kelp kernel kettle kind kindle kite kitten kiwi knee knit knot koala
label lace ladder ladle lagoon lake lamp land large laser later laugh lava lawn layer leader
leaf league learn legend lemon lemur length lentil lesson letter level light lilac lily lime
linen lion liquid listen little living lizard llama lobby local locket lodge logic lotus loud
loyal lucky lumber lunar lunch lute magic magnet magpie maize major maple marble march margin
marker market maroon marsh mason match meadow meal medal melody melon member memory mentor menu
merit metal meteor middle milk mill mimic minnow mint minute mirror mist mitten mixer mobile
model modern moment monday monkey month moon moose mosaic moss mother motor mouse movie muffin
mule museum music napkin narrow nation nature navy near nectar needle nephew nest nickel niece
night nimble nine noble noodle north novel number nurse nutmeg oasis object oboe ocean office
often olive onion open opera orange orbit orchid order organ origin oriole osprey otter oval
oven owl oxygen oyster paddle page paint pajama palace palm panda panel papaya paper parade park
parrot party pasta pastel patch path patio peace peach peanut pear pebble pecan pencil pepper
permit person piano pickle picnic pigeon pilot pine pink pirate pizza place planet plant plate
player plaza plenty plum pocket poem polar polite pollen pond pony porch potato pretty prism
prize proud public puddle puffin puppet puppy purple puzzle quail quartz queen quest quick quiet
quilt quiz rabbit radar radio radish raft rain raisin ranch range rapid raven reader ready real
recipe record red reef relay remain remind repair reply rescue result return review rhyme ribbon
rice riddle ridge right ring ripple river road robin robot rocket rodeo roof room rope rose
round route royal ruby rug ruler rural saddle sail sailor salad salmon salsa salt same sample
sand sandal satin saturn sauce scale scarf scene school score scout sea seal season seed self
senior sesame seven shade shadow shape share shark shell shine ship shoe shore short shovel
shower silent silk silver simple singer sister six skate sketch ski sky sled sleep slice slide
slope slow small smile smooth snack snail snow soap soccer social sock soda sofa soft solar
solid song sound soup south space spark sparrow special speech spice spider spinach spiral
splash spoon sport spring sprout spruce square squash squid stable stadium stage stair stamp
star start station statue steam steel stem step stone stool store stork storm story stove straw
stream street string strong student studio sugar summer summit sun sunday sunset super surf swan
sweater sweet swim swing syrup system table taco tadpole talent tango tape target task taste
teacher teal team teapot temple ten tennis tent theater theme thick thimble thing think thirty
thread three throne thunder ticket tiger timber tin tiny title toast today tomato tool topic
torch total toucan tower town toy track tractor trade trail train travel tree trellis trip
trophy trout truck trumpet trust tuba tulip tundra tunnel turkey turtle twelve twenty twig twin
uncle under unicorn uniform union unique united until upper upward urban useful usual valley
value vanilla velvet verb verse victory video view village vine vinegar violet violin visit
vitamin vivid voice volcano volume voyage waffle wagon walnut walrus warm wash watch water wave
weather wedge week welcome west whale wheat wheel whisper whistle white wide willow window
winner winter wise wizard wolf wonder wood wool word world worm writer yard yarn year yellow
yogurt young zebra zero zigzag zinc zipper zone zoo
"""

WORDS = tuple(_LISTED.split())
