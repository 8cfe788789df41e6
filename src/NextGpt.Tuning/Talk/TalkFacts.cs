namespace NextGpt.Tuning.Talk;

/// <summary>A country as everyday talk knows it.</summary>
/// <param name="Name">For example <c>France</c>.</param>
/// <param name="Capital">For example <c>Paris</c>.</param>
/// <param name="Continent">For example <c>Europe</c>.</param>
/// <param name="Language">What most people there speak, for example <c>French</c>.</param>
internal sealed record Country(string Name, string Capital, string Continent, string Language);

/// <summary>Plain facts that the families of everyday talk are filled with.</summary>
internal static class TalkFacts
{
    internal static IReadOnlyList<Country> Countries { get; } =
    [
        new("France", "Paris", "Europe", "French"), new("Germany", "Berlin", "Europe", "German"), new("Italy", "Rome", "Europe", "Italian"),
        new("Spain", "Madrid", "Europe", "Spanish"), new("Portugal", "Lisbon", "Europe", "Portuguese"), new("Poland", "Warsaw", "Europe", "Polish"),
        new("Sweden", "Stockholm", "Europe", "Swedish"), new("Norway", "Oslo", "Europe", "Norwegian"), new("Denmark", "Copenhagen", "Europe", "Danish"),
        new("Finland", "Helsinki", "Europe", "Finnish"), new("Greece", "Athens", "Europe", "Greek"), new("Austria", "Vienna", "Europe", "German"),
        new("Hungary", "Budapest", "Europe", "Hungarian"), new("Romania", "Bucharest", "Europe", "Romanian"), new("Ireland", "Dublin", "Europe", "English"),
        new("the United Kingdom", "London", "Europe", "English"), new("the Netherlands", "Amsterdam", "Europe", "Dutch"), new("Iceland", "Reykjavik", "Europe", "Icelandic"),
        new("the Czech Republic", "Prague", "Europe", "Czech"), new("Ukraine", "Kyiv", "Europe", "Ukrainian"), new("Bulgaria", "Sofia", "Europe", "Bulgarian"),
        new("Croatia", "Zagreb", "Europe", "Croatian"), new("Serbia", "Belgrade", "Europe", "Serbian"), new("Russia", "Moscow", "Europe", "Russian"),
        new("Japan", "Tokyo", "Asia", "Japanese"), new("China", "Beijing", "Asia", "Chinese"), new("India", "New Delhi", "Asia", "Hindi"),
        new("South Korea", "Seoul", "Asia", "Korean"), new("Thailand", "Bangkok", "Asia", "Thai"), new("Vietnam", "Hanoi", "Asia", "Vietnamese"),
        new("Turkey", "Ankara", "Asia", "Turkish"), new("Iran", "Tehran", "Asia", "Persian"), new("Iraq", "Baghdad", "Asia", "Arabic"),
        new("Nepal", "Kathmandu", "Asia", "Nepali"), new("Mongolia", "Ulaanbaatar", "Asia", "Mongolian"), new("the Philippines", "Manila", "Asia", "Filipino"),
        new("Egypt", "Cairo", "Africa", "Arabic"), new("Kenya", "Nairobi", "Africa", "Swahili"), new("Morocco", "Rabat", "Africa", "Arabic"),
        new("Ethiopia", "Addis Ababa", "Africa", "Amharic"), new("Ghana", "Accra", "Africa", "English"), new("Senegal", "Dakar", "Africa", "French"),
        new("Algeria", "Algiers", "Africa", "Arabic"), new("Tunisia", "Tunis", "Africa", "Arabic"), new("Angola", "Luanda", "Africa", "Portuguese"),
        new("Canada", "Ottawa", "North America", "English"), new("Mexico", "Mexico City", "North America", "Spanish"),
        new("the United States", "Washington", "North America", "English"), new("Cuba", "Havana", "North America", "Spanish"),
        new("Jamaica", "Kingston", "North America", "English"), new("Brazil", "Brasilia", "South America", "Portuguese"),
        new("Argentina", "Buenos Aires", "South America", "Spanish"), new("Chile", "Santiago", "South America", "Spanish"),
        new("Peru", "Lima", "South America", "Spanish"), new("Colombia", "Bogota", "South America", "Spanish"),
        new("Uruguay", "Montevideo", "South America", "Spanish"), new("Australia", "Canberra", "Oceania", "English"),
        new("New Zealand", "Wellington", "Oceania", "English"), new("Fiji", "Suva", "Oceania", "Fijian"),
    ];

    internal static IReadOnlyList<string> Days { get; } = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

    internal static IReadOnlyList<string> Months { get; } =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

    internal static IReadOnlyList<(string One, string Other)> Opposites { get; } =
    [
        ("hot", "cold"), ("big", "small"), ("tall", "short"), ("fast", "slow"), ("happy", "sad"), ("up", "down"), ("left", "right"), ("open", "closed"),
        ("full", "empty"), ("light", "dark"), ("heavy", "light"), ("hard", "soft"), ("wet", "dry"), ("early", "late"), ("rich", "poor"), ("loud", "quiet"),
        ("clean", "dirty"), ("young", "old"), ("new", "old"), ("near", "far"), ("thick", "thin"), ("strong", "weak"), ("sweet", "sour"), ("day", "night"),
        ("first", "last"), ("inside", "outside"), ("above", "below"), ("begin", "end"), ("buy", "sell"), ("push", "pull"), ("win", "lose"), ("deep", "shallow"),
    ];

    internal static IReadOnlyList<(string One, string Other)> Synonyms { get; } =
    [
        ("big", "large"), ("small", "little"), ("happy", "glad"), ("sad", "unhappy"), ("fast", "quick"), ("begin", "start"), ("end", "finish"), ("smart", "clever"),
        ("angry", "cross"), ("scared", "afraid"), ("silent", "quiet"), ("rich", "wealthy"), ("shout", "yell"), ("gift", "present"), ("rock", "stone"), ("road", "street"),
    ];

    internal static IReadOnlyList<(string One, string Many)> Plurals { get; } =
    [
        ("mouse", "mice"), ("child", "children"), ("foot", "feet"), ("tooth", "teeth"), ("goose", "geese"), ("man", "men"), ("woman", "women"), ("leaf", "leaves"),
        ("wolf", "wolves"), ("knife", "knives"), ("sheep", "sheep"), ("fish", "fish"), ("city", "cities"), ("baby", "babies"), ("box", "boxes"), ("bus", "buses"),
        ("dish", "dishes"), ("cat", "cats"), ("apple", "apples"), ("tomato", "tomatoes"), ("potato", "potatoes"), ("person", "people"), ("berry", "berries"), ("glass", "glasses"),
    ];

    internal static IReadOnlyList<string[]> Rhymes { get; } =
    [
        ["cat", "hat", "bat", "mat"], ["dog", "fog", "log", "frog"], ["tree", "bee", "sea", "key"], ["moon", "spoon", "soon", "noon"], ["house", "mouse", "blouse"],
        ["cake", "lake", "snake", "rake"], ["star", "car", "jar", "far"], ["ring", "king", "sing", "wing"], ["night", "light", "kite", "bright"], ["rain", "train", "plane", "chain"],
        ["bear", "chair", "pear", "hair"], ["fish", "dish", "wish"], ["bed", "red", "head", "bread"], ["ball", "wall", "tall", "fall"], ["boat", "goat", "coat", "note"], ["snow", "bow", "toe", "go"],
    ];

    internal static IReadOnlyList<string> Words { get; } =
    [
        "apple", "bread", "cloud", "dragon", "eagle", "flower", "garden", "hammer", "island", "jacket", "kitten", "lemon", "monkey", "needle", "orange", "pencil",
        "queen", "river", "sugar", "table", "uncle", "violin", "window", "yellow", "zebra", "banana", "castle", "doctor", "forest", "guitar", "honey", "button",
    ];

    internal static IReadOnlyList<string> Names { get; } =
    [
        "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Henry", "Ida", "Jonas", "Kate", "Leo", "Maria", "Noah", "Olga", "Paul",
        "Rosa", "Sam", "Tara", "Victor", "Wendy", "Yusuf", "Zoe", "Amir", "Bella", "Carlos", "Dora", "Elif", "Finn", "Hana", "Ivan", "Julia",
    ];

    internal static IReadOnlyList<string> Towns { get; } =
    [
        "Oslo", "Lisbon", "Chicago", "Nairobi", "Kyoto", "Berlin", "Toronto", "Lima", "Dublin", "Vienna", "Cairo", "Mumbai", "Sydney", "Prague", "Boston", "Athens",
        "a small village", "Hamburg", "Naples", "Bergen", "Seville", "Denver", "Leeds", "Porto",
    ];

    internal static IReadOnlyList<string> Jobs { get; } =
    [
        "teacher", "nurse", "baker", "gardener", "painter", "pilot", "cook", "farmer", "carpenter", "doctor", "librarian", "bus driver", "musician", "student", "tailor", "plumber",
    ];

    internal static IReadOnlyList<string> PetKinds { get; } = ["dog", "cat", "rabbit", "turtle", "parrot", "hamster", "goldfish", "horse", "pony", "canary"];

    internal static IReadOnlyList<string> PetNames { get; } =
        ["Milo", "Luna", "Biscuit", "Pepper", "Shadow", "Daisy", "Rocky", "Mango", "Ziggy", "Coco", "Pickle", "Snowy", "Bruno", "Maple", "Nala", "Otto"];

    internal static IReadOnlyList<string> Colours { get; } = ["red", "blue", "green", "yellow", "purple", "orange", "pink", "brown", "black", "white", "turquoise", "silver"];

    internal static IReadOnlyList<string> Foods { get; } =
        ["pizza", "soup", "pancakes", "noodles", "rice", "curry", "salad", "bread and cheese", "tomatoes", "strawberries", "dumplings", "fish", "beans", "apple pie"];

    internal static IReadOnlyList<(string Thing, string Use)> Uses { get; } =
    [
        ("a hammer", "driving nails into wood"), ("an umbrella", "keeping dry in the rain"), ("a broom", "sweeping the floor"), ("a key", "opening a lock"),
        ("a pair of scissors", "cutting paper or cloth"), ("a thermometer", "measuring how warm it is"), ("a clock", "telling the time"), ("a spoon", "eating soup"),
        ("a lamp", "making light"), ("a compass", "finding north"), ("a telescope", "looking at far things such as stars"), ("a ladder", "reaching high places"),
        ("a pillow", "resting your head on"), ("a bridge", "crossing a river"), ("a needle", "sewing"), ("a map", "finding your way"), ("soap", "washing"),
        ("a towel", "drying yourself"), ("a bucket", "carrying water"), ("a ruler", "measuring short lengths"),
    ];

    /// <summary>Smallest first.</summary>
    internal static IReadOnlyList<string> Sizes { get; } =
        ["an ant", "a bee", "a mouse", "a cat", "a dog", "a sheep", "a horse", "a car", "an elephant", "a bus", "a house", "a mountain"];

    internal static IReadOnlyList<(string Thing, bool Can)> Flying { get; } =
    [
        ("an eagle", true), ("a bee", true), ("a bat", true), ("an owl", true), ("a butterfly", true), ("an aeroplane", true), ("a helicopter", true),
        ("a pig", false), ("a fish", false), ("an elephant", false), ("a penguin", false), ("a turtle", false), ("a bicycle", false), ("a snail", false), ("a horse", false),
    ];

    internal static IReadOnlyList<(string Thing, bool Is)> Food { get; } =
    [
        ("bread", true), ("an apple", true), ("cheese", true), ("rice", true), ("a carrot", true), ("soup", true), ("honey", true),
        ("a hammer", false), ("a shoe", false), ("a chair", false), ("a rock", false), ("a pencil", false), ("a lamp", false), ("a bus", false),
    ];

    internal static IReadOnlyList<(string Kind, string[] Members)> Kinds { get; } =
    [
        ("fruits", ["apples", "pears", "bananas", "grapes", "cherries", "lemons"]), ("animals", ["dogs", "cats", "horses", "owls", "frogs", "bears"]),
        ("colours", ["red", "blue", "green", "yellow", "purple", "orange"]), ("vegetables", ["carrots", "onions", "peas", "potatoes", "cabbage", "corn"]),
        ("musical instruments", ["the violin", "the drum", "the flute", "the guitar", "the piano", "the trumpet"]), ("birds", ["owls", "ducks", "eagles", "swans", "parrots", "penguins"]),
        ("vehicles", ["cars", "trains", "buses", "boats", "bicycles", "lorries"]), ("tools", ["hammers", "saws", "pliers", "screwdrivers", "axes", "shovels"]),
        ("drinks", ["water", "milk", "tea", "coffee", "juice", "lemonade"]), ("pieces of clothing", ["shirts", "socks", "hats", "coats", "gloves", "shoes"]),
        ("flowers", ["roses", "tulips", "daisies", "sunflowers", "lilies", "violets"]), ("sports", ["football", "tennis", "swimming", "skiing", "rowing", "boxing"]),
    ];

    internal static IReadOnlyList<(string Language, string Hello, string Thanks)> Greetings { get; } =
    [
        ("French", "bonjour", "merci"), ("Spanish", "hola", "gracias"), ("German", "hallo", "danke"), ("Italian", "ciao", "grazie"), ("Portuguese", "olá", "obrigado"),
        ("Japanese", "konnichiwa", "arigatou"), ("Swedish", "hej", "tack"), ("Polish", "cześć", "dziękuję"), ("Dutch", "hallo", "dank je"), ("Turkish", "merhaba", "teşekkürler"),
    ];

    internal static IReadOnlyList<(string Task, string Answer)> Ways { get; } =
    [
        ("boil an egg", "Put the egg into boiling water for about eight minutes, then cool it in cold water."),
        ("make tea", "Pour boiling water over the tea, wait three to five minutes, then take the leaves out."),
        ("plant a seed", "Press it a finger's breadth into moist soil, cover it, and keep it warm and damp until it sprouts."),
        ("clean a window", "Wash it with warm water and a drop of soap, then wipe it dry from top to bottom with a clean cloth."),
        ("wrap a present", "Fold the paper around the box, tape the long side, fold the ends into triangles and tape those too."),
        ("fall asleep sooner", "Go to bed at the same time each night, keep the room dark and cool, and put screens away an hour before."),
        ("remember a name", "Say it aloud when you hear it, link it with a picture in your mind, and use it once more before you part."),
        ("keep bread fresh", "Keep it in a paper bag or a bread box at room temperature, and freeze what you will not eat in two days."),
        ("tie a parcel", "Lay the string across, turn the parcel over, cross the string, and knot it on top."),
        ("save water at home", "Take short showers, mend dripping taps, and run the washing machine only when it is full."),
        ("make a sandwich", "Put something you like between two slices of bread, for example cheese and tomato, and cut it in half."),
        ("calm down", "Breathe in slowly through the nose, hold it for a moment, breathe out even more slowly, and do so ten times."),
    ];

    internal static IReadOnlyList<string> Unknowable { get; } =
    [
        "what I had for breakfast", "what my neighbour is called", "how many coins are in my pocket", "what the weather is like here now", "what will happen tomorrow",
        "who is standing behind me", "what my grandmother looked like", "what number I am thinking of", "where I left my keys", "what the news said today",
        "what time it is", "which colour my front door has", "how old my sister is", "what I dreamt last night",
    ];
}
