// The things a gift shop sells, as a few strokes each: [words, parts], the first match wins.
// A part is [role, element, attributes] on a field of 200 by 200 whose ground is at y = 160.
// Roles: main (colour and pattern), deep and pale (its shades), line, glow, leaf, initial.

const path = (role, d, more = {}) => [role, "path", { d, ...more }];
const rect = (role, x, y, width, height, rx = 0) => [role, "rect", { x, y, width, height, rx }];
const disc = (role, cx, cy, r) => [role, "circle", { cx, cy, r }];
const oval = (role, cx, cy, rx, ry) => [role, "ellipse", { cx, cy, rx, ry }];
const stroke = (role, d, weight = 5) => path(role, d, { weight });

const HEART = "M100 152C52 120 42 96 50 76c8-20 36-22 50 4 14-26 42-24 50-4 8 20-2 44-50 76z";
const STAR = "M100 46l16 36 39 4-29 27 8 39-34-20-34 20 8-39-29-27 39-4z";

export const SHAPES = [
  [/TEA ?CUP|SAUCER/, [
    oval("deep", 98, 152, 62, 9), oval("pale", 98, 149, 56, 6),
    stroke("deep", "M138 94c26-8 30 26-4 30", 8), path("main", "M48 84h96c0 40-18 60-48 60S48 124 48 84z"),
    oval("pale", 96, 84, 48, 8),
  ]],
  [/TEA ?POT|KETTLE/, [
    path("deep", "M52 112c-20 2-22-22-32-26l12-6c12 4 14 16 24 16z"), stroke("deep", "M140 96c30-10 34 36-2 38", 8),
    path("main", "M46 118c0-30 20-46 52-46s52 16 52 46-20 42-52 42-52-12-52-42z"),
    oval("pale", 98, 74, 26, 6), disc("deep", 98, 62, 8),
  ]],
  [/\bMUGS?\b|BEAKER|\bCUPS?\b/, [
    stroke("deep", "M132 84c34-6 34 46 0 42", 10), rect("main", 58, 64, 78, 96, 12), oval("pale", 97, 66, 38, 7),
  ]],
  [/CAKE ?STAND|CAKESTAND/, [
    stroke("deep", "M100 40v116", 5), oval("deep", 100, 156, 34, 6), oval("main", 100, 124, 66, 10),
    oval("main", 100, 92, 48, 8), oval("main", 100, 64, 32, 6), disc("deep", 100, 38, 6),
    disc("glow", 78, 112, 9), disc("pale", 122, 112, 9), disc("glow", 100, 82, 8),
  ]],
  [/CAKE CASE|CAKES?\b|MUFFIN|BAKING|CUPCAKE/, [
    path("pale", "M52 104c-6-30 20-26 24-42 12 10 40-10 46 12 22-2 34 14 26 30z"),
    path("main", "M50 102h100l-14 58H64z"), disc("glow", 100, 56, 9),
  ]],
  [/T-?LIGHT|CANDLE|VOTIVE|NIGHT LIGHT/, [
    disc("halo", 100, 78, 44), path("glow", "M100 52c14 16 14 34 0 38-14-4-14-22 0-38z"),
    rect("pale", 78, 92, 44, 20, 4), path("main", "M58 104h84l-8 56H66z"),
  ]],
  [/LANTERN|LAMP|CHANDELIER|LIGHTS?\b|BULB/, [
    stroke("line", "M100 22v22", 4), path("deep", "M78 62l22-22 22 22z"), disc("halo", 100, 108, 40),
    rect("main", 66, 62, 68, 88, 8), rect("pale", 78, 74, 44, 64, 6), path("glow", "M100 92c12 14 12 30 0 34-12-4-12-20 0-34z"),
    rect("deep", 60, 148, 80, 12, 4),
  ]],
  [/CLOCK|WATCH/, [
    disc("deep", 100, 102, 58), disc("pale", 100, 102, 46), stroke("line", "M100 102V70M100 102l22 14", 6),
    disc("line", 100, 102, 5), ...[0, 1, 2, 3].map((i) => disc("main", 100 + [0, 38, 0, -38][i], 102 + [-38, 0, 38, 0][i], 4)),
  ]],
  [/HOOK|HANGER|KNOB|RACK|KEY HOLDER|\bRAIL/, [
    rect("main", 40, 60, 120, 28, 10), ...[66, 100, 134].flatMap((x) => [stroke("line", `M${x} 84v34c0 18 22 18 22 2`, 6)]), disc("pale", 52, 74, 4), disc("pale", 148, 74, 4),
  ]],
  [/BAGS?\b|SHOPPER|PURSE|WALLET|SACK|BASKET|SUITCASE|BACKPACK/, [
    stroke("deep", "M72 82c0-56 56-56 56 0", 8), path("main", "M50 78h100l10 82H40z"),
  ]],
  [/LUNCH BOX|TINS?\b|STORAGE|BOX\b|BOXES|CABINET|DRAWER|CASE\b|CHEST/, [
    rect("main", 46, 82, 108, 78, 8), rect("deep", 40, 66, 120, 26, 8), rect("pale", 86, 84, 28, 20, 5),
  ]],
  [/JAR\b|BOTTLE|VASE|JUG|PITCHER|FLASK|SOAP|PERFUME/, [
    rect("deep", 78, 40, 44, 18, 5), path("main", "M82 56h36v14c24 8 30 22 30 40v36c0 10-6 14-14 14H66c-8 0-14-4-14-14v-36c0-18 6-32 30-40z"),
    rect("pale", 72, 104, 56, 32, 6),
  ]],
  [/PLATE|BOWL|DISH|TRAY|COASTER|PLACEMAT/, [
    disc("deep", 100, 104, 58), disc("main", 100, 104, 54), disc("pale", 100, 104, 32),
  ]],
  [/SPOON|FORK|KNIFE|CUTLERY|WHISK|COOK|UTENSIL|KITCHEN/, [
    oval("main", 74, 66, 17, 24), stroke("deep", "M74 88v72", 8), stroke("main", "M112 46v32M126 46v32M140 46v32", 6),
    path("main", "M109 76h34c0 16-8 22-17 22s-17-6-17-22z"), stroke("deep", "M126 96v64", 8),
  ]],
  [/BUNTING|GARLAND|PAPER CHAIN/, [
    stroke("line", "M22 58q78 42 156 0", 3), path("main", "M36 66l32 10-20 40z"), path("deep", "M84 78h34l-16 44z"),
    path("main", "M132 77l32-10-12 48z"),
  ]],
  [/UMBRELLA|PARASOL/, [
    stroke("line", "M100 52v92c0 18-24 18-24 2", 6), path("main", "M32 104c6-78 130-78 136 0-12-12-30-12-34 0-10-12-24-12-34 0-10-12-24-12-34 0-4-12-22-12-34 0z"),
  ]],
  [/CHRISTMAS TREE|\bTREE\b/, [
    rect("line", 92, 138, 16, 22, 2), path("leaf", "M100 34l30 44H70z"), path("leaf", "M100 60l38 48H62z"),
    path("leaf", "M100 88l46 54H54z"), disc("glow", 92, 82, 5), disc("main", 112, 104, 6), disc("main", 84, 122, 6), disc("glow", 120, 128, 5),
  ]],
  [/NECKLACE|PENDANT|BEAD/, [
    stroke("line", "M50 44c0 100 100 100 100 0", 4), ...[[58, 86], [76, 108], [124, 108], [142, 86]].map(([x, y]) => disc("main", x, y, 9)),
    disc("deep", 100, 124, 17), disc("pale", 95, 119, 5),
  ]],
  [/BRACELET|BANGLE|EARRING|\bRINGS?\b|BROOCH|JEWEL|\bHAIR|KEY ?RING|CHARM/, [
    stroke("main", "M100 72a44 44 0 1 0 .1 0", 12), path("deep", "M100 30l22 20-22 26-22-26z"), path("pale", "M100 30l10 20-10 26-10-26z"),
  ]],
  [/FRAME|PICTURE|\bSIGN|PLAQUE|WALL|MIRROR|BOARD|SCREEN|PHOTO|\bART\b|CANVAS/, [
    stroke("line", "M68 58l32-26 32 26", 3), rect("deep", 42, 56, 116, 96, 6), rect("pale", 54, 68, 92, 72, 3),
    path("main", "M54 140v-18l28-26 22 20 18-14 24 22v16z"), disc("glow", 122, 86, 9),
  ]],
  [/CARD|\bTAGS?\b|POSTCARD|ENVELOPE|LETTER|PASSPORT/, [
    rect("deep", 66, 50, 92, 68, 6), rect("pale", 42, 74, 104, 80, 6), path("main", "M42 80l52 42 52-42v-1c0-3-2-5-5-5H47c-3 0-5 2-5 5z"),
  ]],
  [/WRAP|RIBBON|GIFT|PAPER|TISSUE|NAPKIN|DOIL/, [
    rect("main", 46, 78, 108, 82, 6), rect("deep", 90, 78, 20, 82), stroke("deep", "M100 78c-40-4-44-42-18-40 14 2 18 24 18 40 0-16 4-38 18-40 26-2 22 36-18 40", 6),
  ]],
  [/BOOK|DIARY|JOURNAL|ALBUM|NOTEPAD|SKETCH|ORGANI[SZ]ER|RECIPE/, [
    rect("pale", 60, 50, 90, 110, 4), rect("main", 52, 46, 90, 110, 6), rect("deep", 52, 46, 14, 110, 5), rect("pale", 82, 70, 44, 22, 3),
  ]],
  [/PENCIL|PEN\b|PENS\b|CRAYON|CHALK|RULER/, [
    ...[[66, "main"], [100, "deep"], [134, "glow"]].flatMap(([x, role]) => [path("pale", `M${x - 11} 70l11-28 11 28z`), rect(role, x - 11, 70, 22, 90, 2)]),
  ]],
  [/CUSHION|PILLOW|TOWEL|BLANKET|QUILT|\bRUG\b|THROW|MAT\b/, [
    path("main", "M46 64c36 10 72 10 108 0-10 30-10 60 0 90-36-10-72-10-108 0 10-30 10-60 0-90z"), disc("deep", 100, 109, 6),
  ]],
  [/WARMER|GLOVE|SOCK|\bHAT\b|SCARF|SLIPPER|APRON|BABY|CHILDREN/, [
    path("main", "M62 44h50v62c14 8 42 8 42 34 0 14-8 20-20 20H82c-14 0-20-8-20-20z"), rect("deep", 56, 38, 62, 22, 8),
  ]],
  [/\bDOLL\b|BABUSHKA|GNOME|ANGEL|FAIRY|SNOWMAN|SANTA|SOLDIER/, [
    path("main", "M100 74c40 0 46 86 28 86H72c-18 0-12-86 28-86z"), disc("deep", 100, 66, 32), disc("pale", 100, 70, 21),
    disc("line", 92, 68, 3), disc("line", 108, 68, 3), stroke("line", "M93 78q7 6 14 0", 3),
  ]],
  [/BIRD|OWL|DOVE|CHICK|DUCK|\bHEN\b|PARROT|RABBIT|CAT\b|CATS\b|DOG|ANIMAL|ELEPHANT|REINDEER|EGG/, [
    path("main", "M36 112c8-46 62-64 88-28l34-20c4 62-38 96-84 90-28-4-42-20-38-42z"), path("deep", "M78 112c18-18 48-12 60 4-20 22-46 20-60-4z"),
    path("glow", "M38 104l-20 12 20 8z"), disc("line", 60, 96, 5),
  ]],
  [/FLOWER|ROSE|DAISY|GARDEN|PLANT|HERB|SEED|WATERING|BLOSSOM|PETAL|TULIP/, [
    stroke("leaf", "M100 94v66", 6), path("leaf", "M100 142c6-24 30-26 42-22-4 20-22 28-42 22z"),
    ...[0, 72, 144, 216, 288].map((turn) => ["main", "ellipse", { cx: 100, cy: 58, rx: 15, ry: 24, transform: `rotate(${turn} 100 82)` }]),
    disc("glow", 100, 82, 14),
  ]],
  [/BLOCK|GAME|PUZZLE|TOY|DOMINO|JIGSAW|PLAY|SKITTLE|SPINNING|\bCARS?\b|TRAIN/, [
    rect("main", 40, 104, 56, 56, 7), rect("deep", 104, 104, 56, 56, 7), rect("glow", 72, 44, 56, 56, 7), ["initial", "text", { x: 100, y: 84 }],
  ]],
  [/\bSTARS?\b/, [path("main", STAR)]],
  [/HEARTS?\b|LOVE/, [path("main", HEART)]],
  [/BAUBLE|WREATH|CHRISTMAS|XMAS/, [
    stroke("line", "M100 24v30", 4), disc("main", 100, 108, 52), rect("deep", 88, 48, 24, 14, 4),
    stroke("pale", "M62 96c22 14 54 14 76 0", 5),
  ]],
];

export const PLAIN = [
  path("deep", "M40 160v-52a60 60 0 0 1 120 0v52z"), path("main", "M56 160v-50a44 44 0 0 1 88 0v50z"),
  ["initial", "text", { x: 100, y: 136 }],
];
