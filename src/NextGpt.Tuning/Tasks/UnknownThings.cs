namespace NextGpt.Tuning.Tasks;

/// <summary>Things that lie outside the world, each with the nearest that lies in it: <c>what is asked:what is offered</c>.</summary>
internal static class UnknownThings
{
    /// <summary>Things that cannot be drawn or filmed.</summary>
    internal static IReadOnlyList<string> Seen { get; } =
    [
        "a platypus:an otter", "an armadillo:a badger", "a walrus:a seal", "an ostrich:a flamingo", "a hyena:a wolf", "a meerkat:a chipmunk", "a pelican:a swan", "a chameleon:a lizard",
        "a stingray:a shark", "a starfish:an octopus", "a toucan:a parrot", "an emu:a turkey", "a tapir:a pig", "an anteater:a badger", "a lynx:a leopard", "a cheetah:a leopard",
        "a salamander:a lizard", "a dragonfly:a butterfly", "a wasp:a honeybee", "a centipede:a worm", "a sparrow:a bird", "a magpie:a black bird", "a stork:a swan", "a vulture:an eagle",
        "a puma:a tiger", "a jackal:a fox", "a mole:a mouse", "a ferret:an otter", "a guinea pig:a hamster", "a yak:a bison", "an antelope:a deer", "a reindeer:a deer",
        "a papaya:a mango", "a fig:an olive", "a pomegranate:a red apple", "a raspberry:a strawberry", "a plum:a peach", "an apricot:a peach", "an artichoke:broccoli", "a pumpkin pie:a pie",
        "a lasagne:spaghetti", "a quiche:a pie", "a lentil soup:a pot of food", "a cabbage:a leafy green", "an asparagus:broccoli", "a leek:an onion", "a cauliflower:broccoli", "a celery:a carrot",
        "a sewing machine:a sewing needle", "a vacuum cleaner:a broom", "a washing machine:a bathtub", "a toaster:bread", "a refrigerator:ice", "a coffee machine:a hot beverage", "a lawn mower:a tractor", "a chainsaw:a carpentry saw",
        "a wheelbarrow:a shopping cart", "a hairdryer:a hair pick", "an ironing board:a t-shirt", "a trampoline:a goal net", "a treadmill:a running shoe", "a snowmobile:a sled", "a submarine:a ship", "a hot air balloon:a balloon",
        "a zeppelin:an airplane", "a hovercraft:a speedboat", "a bulldozer:a tractor", "a cement mixer:a delivery truck", "a tank:a tractor", "a gondola boat:a canoe", "a unicycle:a bicycle", "a tandem:a bicycle",
        "a lighthouse:a castle", "a windmill:a house", "a pyramid:a castle", "the Eiffel Tower:Tokyo Tower", "Big Ben:a mantelpiece clock", "the Colosseum:a stadium", "the Taj Mahal:a mosque", "the Golden Gate Bridge:a bridge at night",
        "an igloo:a hut", "a barn:a house", "a greenhouse:a potted plant", "a swimming pool:a water wave", "a waterfall:a fountain", "a glacier:a snow-capped mountain", "a cave:a mountain", "a jungle:a palm tree",
        "a coral reef:a coral", "a geyser:hot springs", "a canyon:a desert", "a black hole:a ringed planet", "a galaxy:a night with stars", "an eclipse:a new moon", "a bagpipe:a flute", "a cello:a violin",
        "a tuba:a trumpet", "a xylophone:a drum", "a clarinet:a flute", "a tambourine:a drum", "a church organ:a musical keyboard", "a harmonica:an accordion", "a typewriter:a keyboard", "a gramophone:a radio",
        "a robot vacuum:a broom", "a hologram:a television", "a quantum computer:a desktop computer", "a circuit board:a computer disk", "Albert Einstein:a scientist", "Napoleon:a man", "Cleopatra:a woman", "Mozart:a singer",
        "Mickey Mouse:a mouse", "Spider-Man:a superhero", "Harry Potter:a mage", "Darth Vader:a supervillain", "Pikachu:a mouse", "Superman:a superhero", "Batman:a bat", "a hobbit:an elf",
        "a centaur:a horse", "a minotaur:an ox", "a kraken:an octopus", "a werewolf:a wolf", "a gargoyle:a dragon", "a cyclops:a troll", "a blorple:a hairy creature", "a snorkwip:a bug",
        "a flumphet:a trumpet", "a grindle:a gear", "a zibbet:a rabbit", "a quarnock:a rock", "a wug:a bird", "a tovercat:a cat", "a plimsel:a running shoe", "a drubbin:a mushroom",
        "the smell of coffee:a hot beverage", "freedom:a bird", "tomorrow's weather:a sun behind a rain cloud", "the colour of music:a musical note", "last night's dream:a crescent moon", "silence:a muted speaker", "justice:a balance scale", "gravity:a red apple",
    ];

    /// <summary>Things that cannot be heard here; what is offered is a sound of the world.</summary>
    internal static IReadOnlyList<string> Heard { get; } =
    [
        "a giraffe humming:a cow", "a whale singing:the sea", "a bat:a bird", "a penguin:a goose", "a hyena laughing:laughing", "a kangaroo:footsteps", "a snake hissing:a stream", "a camel:a cow",
        "a hedgehog:footsteps", "a peacock:a rooster", "a parrot talking:a bird", "an eagle:a bird", "a dolphin:a sea lion", "a squirrel:a bird", "a mosquito:a cricket", "a butterfly:the wind",
        "a vacuum cleaner:a jet", "a washing machine:running water", "a coffee machine:running water", "a hairdryer:the wind", "a lawn mower:a motorcycle", "a chainsaw:a motorcycle", "a tractor:a car engine", "a submarine:bubbles",
        "a rocket taking off:a jet", "a tram:a train", "a bicycle bell:a hand bell", "a skateboard:a train", "a sailing boat:the sea", "a hot air balloon:the wind", "an elevator:a door opening", "a waterfall:a stream",
        "an avalanche:thunder", "an earthquake:thunder", "a volcano:an explosion", "hail:rain", "a sandstorm:the wind", "leaves in autumn:footsteps", "an iceberg breaking:a breaking glass", "bacon frying:fire",
        "my grandmother's voice:a choir", "the president's voice:applause", "my brother snoring:a heartbeat", "your own voice:a choir", "a crowd singing the anthem:a choir", "a football match:applause", "a news reader:typing", "my favourite song:a guitar",
        "Beethoven's ninth symphony:a string orchestra", "a theremin:a violin", "a hurdy-gurdy:a violin", "a lute:a mandolin", "a zither:a dulcimer", "an alphorn:a French horn", "a jaw harp:a kalimba", "a vuvuzela:a trumpet",
        "a flumphet:a trumpet", "a snorkwip:a whistle", "a wug:a bird", "a blorple:bubbles",
    ];

    /// <summary>What may happen in a clip that cannot be made: more than moving, growing, turning.</summary>
    internal static IReadOnlyList<string> Filmed { get; } =
    [
        "my birthday party:a birthday cake spinning", "a football final:a soccer ball bouncing", "my sister's wedding:a ring spinning", "a car race in Monaco:a racing car sliding to the left", "the moon landing:a rocket rising", "the sinking of the Titanic:a ship falling",
        "two knights fighting:crossed swords shaking", "a dog learning to read:a dog shaking", "a house being built:a house growing", "a flower show in London:a tulip growing", "a chess match:a chess pawn sliding to the right", "a cooking lesson:a spoon spinning",
        "a concert in Vienna:a violin swinging", "the first steam train:a train sliding to the left", "my cat yesterday:a cat bouncing", "a film with a plot:a movie camera spinning", "the news of today:a newspaper rising", "an interview with the king:a microphone swinging",
        "a ballet at the opera:a ballet dancer spinning", "a walk through Paris:a running shoe sliding to the right", "a street market:a shopping cart sliding to the left", "a storm at sea:a sailboat swinging", "an erupting geyser:a fountain growing", "the life of bees:a honeybee bouncing",
        "a blorple dancing:a hairy creature bouncing", "a wug on a trampoline:a bird bouncing", "a flumphet parade:a trumpet sliding to the right", "a snorkwip asleep:a bug swinging",
    ];
}
