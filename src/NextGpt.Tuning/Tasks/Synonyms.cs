namespace NextGpt.Tuning.Tasks;

/// <summary>Other names of things, chosen from the world's keywords where they mean just that thing.</summary>
internal static class Synonyms
{
    /// <summary>By concept; with their articles.</summary>
    internal static IReadOnlyDictionary<string, IReadOnlyList<string>> Of { get; } = Read(
        """
        potato: a spud | eggplant: an aubergine | ear-of-corn: maize | bell-pepper: a capsicum | doughnut: a donut | hamburger: a burger | french-fries: fries | hot-dog: a frankfurter
        kiwi-fruit: a kiwi | cookie: a biscuit | candy: a sweet | bread: a loaf of bread | mushroom: a toadstool | moose: an elk | hippopotamus: a hippo | donkey: a burro
        snake: a serpent | cat-face: a kitty | camel: a dromedary | two-hump-camel: a bactrian camel | turtle: a tortoise | honeybee: a bee | lady-beetle: a ladybird, a ladybug | cockroach: a roach
        black-bird: a crow, a raven | t-rex: a tyrannosaurus | sauropod: a brontosaurus | rock: a boulder | wood: a log | pickup-truck: a pick-up
        articulated-lorry: a semi | helicopter: a copter, a chopper | airplane: a plane | automobile: a car | bicycle: a bike | motorway: a highway | locomotive: a steam engine
        speedboat: a fast boat | flying-saucer: a UFO | ringed-planet: Saturn | cyclone: a hurricane, a typhoon | tornado: a twister | glasses: eyeglasses | backpack: a rucksack, a satchel | thong-sandal: a flip-flop
        running-shoe: a sneaker, a trainer | high-heeled-shoe: a stiletto | t-shirt: a tee shirt | clutch-bag: a pouch | gem-stone: a jewel | headphone: earphones | saxophone: a sax | accordion: a squeezebox
        television: a TV | desktop-computer: a PC | light-bulb: a bulb | flashlight: a torch | video-camera: a camcorder | mobile-phone: a cell phone | wastebasket: a trash can | package: a parcel
        axe: a hatchet | gear: a cogwheel | hook: a crook | bathtub: a bath | mouse-trap: a mousetrap | headstone: a tombstone | placard: a protest sign | carpentry-saw: a handsaw
        sled: a sleigh, a sledge | teddy-bear: a teddy | skis: a pair of skis | soccer-ball: a football | wrapped-gift: a present | police-officer: a cop | cook: a chef | genie: a djinn
        derelict-house: an abandoned house | castle: a fortress | house: a home | sunflower: a sun flower | rooster: a cockerel | rabbit: a bunny
        """);

    private static Dictionary<string, IReadOnlyList<string>> Read(string table) => table.Split((char[])['|', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(entry => entry.Split(": ")).ToDictionary(entry => entry[0], entry => (IReadOnlyList<string>)entry[1].Split(", "), StringComparer.Ordinal);
}
