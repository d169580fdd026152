/** A number in [0, 1), passed in so that the caller owns the randomness. */
export type Random = () => number;

const ADJECTIVES =
  'able amber ample apt bold brave breezy brief bright brisk calm candid careful chatty cheerful chilly clever cool cosy curious daring deft eager early easy fair fast fierce fine fluffy fond frank free fresh gentle giant glad golden good grand great happy hardy honest humble jolly keen kind large lazy light little lively loud loyal lucky mellow merry mighty modest neat nice nimble noble odd open orange patient plain polite proud pure quick quiet rapid rare ready red rich ripe shiny short shy silent silver slim slow smart smooth soft solid splendid steady sturdy sunny swift tall tame tender tidy tiny tough true vast warm wet wild wise witty young'.split(
    ' ',
  );

const ANIMALS =
  'ant ape badger bat bear beaver bee bird bison boar buck camel cat cheetah cobra cod cow crab crane cricket crow deer dingo dog dolphin donkey dove dragon duck eagle earwig eel elephant elk falcon ferret finch firefly fish fly fox frog gazelle gecko goat goose grouse hare hawk hedgehog heron horse hound ibex impala jackal jay jellyfish kid kiwi lemur leopard liger lion lizard llama lobster lynx mole monkey moose moth mouse mule newt octopus otter owl panda panther parrot penguin pig pony puma quail rabbit ram rat raven robin salmon seal shark sheep shrimp skunk sloth snail snake sparrow spider squid starfish stork swan swift tiger toad trout turkey turtle vampire walrus warthog wasp weasel whale wolf wombat yak zebra'.split(
    ' ',
  );

/** `<adjective>-<animal>` */
export function generatedName(random: Random): string {
  return `${pick(ADJECTIVES, random)}-${pick(ANIMALS, random)}`;
}

/** For fleets, volumes and gateways: the bare pair, another one while it is taken. */
export function generatedUniqueName(random: Random, isTaken: (name: string) => boolean): string {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const name = generatedName(random);
    if (!isTaken(name)) return name;
  }
  return generatedRunName(random, isTaken);
}

/** `<adjective>-<animal>-<n>` with the lowest free n ≥ 1. */
export function generatedRunName(random: Random, isTaken: (name: string) => boolean): string {
  const base = generatedName(random);
  let n = 1;
  while (isTaken(`${base}-${n}`)) n += 1;
  return `${base}-${n}`;
}

function pick(words: readonly string[], random: Random): string {
  return words[Math.floor(random() * words.length)] ?? 'plain';
}
