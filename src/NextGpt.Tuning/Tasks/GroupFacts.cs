using NextGpt.Tuning.Data;

namespace NextGpt.Tuning.Tasks;

/// <summary>Which kind of thing a concept is, said only where nobody would disagree.</summary>
internal static class GroupFacts
{
    private static readonly HashSet<string> Unclear = Set(
        """
        baby-bottle beer-mug beverage-box bottle-with-popping-cork bowl-with-spoon bubble-tea chopsticks clinking-beer-mugs clinking-glasses cocktail-glass cooking cup-with-straw
        fork-and-knife fork-and-knife-with-plate glass-of-milk honey-pot hot-beverage ice jar kitchen-knife mate pouring-liquid sake salt spoon takeout-box teacup-without-handle teapot
        tropical-drink tumbler-glass wine-glass steaming-bowl pot-of-food coral feather microbe nest-with-eggs paw-prints pig-nose spider-web spiral-shell wing
        empty-nest dragon dragon-face unicorn phoenix rosette bouquet chestnut mushroom brown-mushroom herb sheaf-of-rice fallen-leaf oyster shrimp lobster crab squid turkey chicken egg
        """);

    private static readonly HashSet<string> Plants = Set(
        """
        blossom cactus cherry-blossom deciduous-tree four-leaf-clover hibiscus hyacinth leafless-tree lotus maple-leaf palm-tree potted-plant rose seedling shamrock sunflower tulip
        white-flower wilted-flower evergreen-tree
        """);

    private static readonly HashSet<string> Vehicles = Set(
        """
        bicycle bus bullet-train delivery-truck ferry fire-engine helicopter kick-scooter light-rail locomotive monorail motor-boat motor-scooter motorcycle passenger-ship pickup-truck
        police-car racing-car sailboat ship speedboat sport-utility-vehicle taxi tractor train tram tram-car airplane ambulance articulated-lorry automobile auto-rickshaw canoe
        """);

    private static readonly HashSet<string> Buildings = Set(
        "bank castle church convenience-store department-store derelict-house factory hindu-temple hospital hotel house hut mosque post-office school stadium synagogue");

    private static readonly HashSet<string> Instruments = Set("accordion banjo drum flute guitar harp long-drum maracas musical-keyboard postal-horn saxophone trombone trumpet violin");

    private static readonly HashSet<string> Clothes = Set(
        "bikini coat dress gloves hiking-boot jeans kimono necktie one-piece-swimsuit running-shoe sari scarf shorts socks t-shirt top-hat womans-boot womans-hat womans-sandal mans-shoe high-heeled-shoe flat-shoe lab-coat billed-cap");

    private static readonly HashSet<string> Tools = Set("hammer axe carpentry-saw screwdriver wrench pick clamp shovel ladder scissors hammer-and-pick hammer-and-wrench");

    private static readonly HashSet<string> Fruits = Set("banana coconut green-apple red-apple kiwi-fruit lemon lime mango peach pear pineapple strawberry tangerine watermelon cherries grapes blueberries");

    private static readonly HashSet<string> Vegetables = Set("bell-pepper carrot cucumber eggplant leafy-green onion pea-pod potato broccoli garlic ear-of-corn root-vegetable");

    private static readonly HashSet<string> Birds = Set("bird black-bird dodo dove duck eagle flamingo goose owl parrot peacock penguin rooster swan turkey chicken baby-chick");

    private static readonly HashSet<string> SeaAnimals = Set("blowfish crab dolphin fish jellyfish lobster octopus orca seal shark shrimp squid tropical-fish whale");

    private static readonly HashSet<string> Insects = Set("ant beetle butterfly cockroach cricket fly honeybee lady-beetle mosquito");

    private static readonly HashSet<string> Sweets = Set("birthday-cake candy chocolate-bar cookie cupcake custard doughnut ice-cream lollipop shortcake soft-ice-cream");

    /// <summary>The kinds that are asked for by name, as one and as many.</summary>
    internal static IReadOnlyDictionary<string, (string One, string Many)> Kinds { get; } = new Dictionary<string, (string, string)>(StringComparer.Ordinal)
    {
        ["food"] = ("food", "things to eat"),
        ["animal"] = ("an animal", "animals"),
        ["plant"] = ("a plant", "plants"),
        ["vehicle"] = ("a vehicle", "vehicles"),
        ["building"] = ("a building", "buildings"),
        ["instrument"] = ("a musical instrument", "musical instruments"),
        ["clothes"] = ("something to wear", "things to wear"),
        ["tool"] = ("a tool", "tools"),
        ["person"] = ("a person", "kinds of people"),
    };

    private static readonly Dictionary<string, HashSet<string>> Narrow = new(StringComparer.Ordinal)
    {
        ["fruits"] = Fruits,
        ["vegetables"] = Vegetables,
        ["birds"] = Birds,
        ["sea animals"] = SeaAnimals,
        ["insects"] = Insects,
        ["sweets"] = Sweets,
    };

    /// <summary>The kind of a thing, one of <see cref="Kinds"/>, or null where it is not clear.</summary>
    internal static string? KindOf(WorldRow row) => row.Concept switch
    {
        var concept when Plants.Contains(concept) => "plant",
        var concept when Vehicles.Contains(concept) => "vehicle",
        var concept when Buildings.Contains(concept) => "building",
        var concept when Instruments.Contains(concept) => "instrument",
        var concept when Clothes.Contains(concept) => "clothes",
        var concept when Tools.Contains(concept) => "tool",
        var concept when Unclear.Contains(concept) => null,
        _ => row.Group switch { "food" => "food", "animal or plant" => "animal", "person" => "person", _ => null },
    };

    /// <summary>Whether it is surely wrong to call something of one kind by another: an animal may be food, and a person is an animal to some.</summary>
    internal static bool Exclude(string kind, string other) => kind != other && !Both(kind, other, "food") && !Both(kind, other, "animal", "person");

    /// <summary>Kinds of which a world has enough to list, with the names of what it has.</summary>
    internal static IReadOnlyList<(string Kind, IReadOnlyList<string> Members)> Lists(WorldData world)
    {
        var rows = world.Of(WorldKind.Picture).Where(row => row.IsForTraining && row.Group is not "face" && WorldNames.Of(row) is not null)
            .DistinctBy(row => row.Concept).OrderBy(row => row.Concept, StringComparer.Ordinal).ToList();
        IReadOnlyList<string> Names(Func<WorldRow, bool> fits) => [.. rows.Where(fits).Select(row => WorldNames.Of(row)!).Distinct(StringComparer.Ordinal)];   // rows without names are gone
        return [.. Kinds.Where(kind => kind.Key != "person").Select(kind => (kind.Value.Many, Names(row => KindOf(row) == kind.Key)))
            .Concat(Narrow.Select(kind => (kind.Key, Names(row => kind.Value.Contains(row.Concept)))))
            .Where(list => list.Item2.Count >= 3)];
    }

    private static bool Both(string kind, string other, params string[] of) => of.Length == 1
        ? (kind == of[0] && other is "animal" or "plant") || (other == of[0] && kind is "animal" or "plant")
        : of.Contains(kind) && of.Contains(other);

    private static HashSet<string> Set(string keys) => [.. keys.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries)];
}
