namespace NextGpt.Tuning.Talk;

/// <summary>What the person said before: name, town, job, pet, favourites, a list, and what was corrected since.</summary>
internal static class MemoryTalk
{
    private static readonly Topic[] Topics =
    [
        new(
            "name", draw => draw.OneOfMySide(TalkFacts.Names),
            new("My name is {0}.", "I am {0}.", "You can call me {0}.", "Hi, I'm {0}.", "People call me {0}.", "Hello, {0} here.", "I am called {0}.", "Let me introduce myself: {0}.",
                "By the way, my name is {0}.", "This is {0}.", "Hi! {0} is my name.", "The name is {0}."),
            ["Nice to meet you, {0}!", "Hello, {0}!", "Hi {0}, how can I help you?", "Good to meet you, {0}."],
            new("What is my name?", "Do you remember my name?", "Who am I?", "How am I called?", "Tell me my name.", "What did I say my name was?", "Can you say my name?", "What do people call me?",
                "Do you still know what I am called?", "Say my name.", "Which name did I give you?", "I told you my name. What is it?"),
            ["Your name is {0}.", "You are {0}.", "You said your name is {0}."]),
        new(
            "town", draw => draw.OneOfMySide(TalkFacts.Towns),
            new("I live in {0}.", "My home is in {0}.", "I am from {0}.", "I come from {0}.", "We live in {0}.", "I moved to {0} last year.", "I was born in {0} and still live there.", "Home for me is {0}.",
                "My family lives in {0}, and so do I.", "I have a flat in {0}.", "These days I live in {0}.", "I write to you from {0}, where I live."),
            ["{0}, how nice!", "I see, you live in {0}.", "Thank you for telling me. Do you like {0}?"],
            new("Where do I live?", "Do you remember where I live?", "Which place do I live in?", "Where is my home?", "Tell me where I live.", "What did I say about where I live?", "Where am I from?", "In which place is my home?",
                "Do you know where I live?", "Say where I live.", "Where did I say I come from?", "What is the place I live in called?"),
            ["You live in {0}.", "You told me that you live in {0}."]),
        new(
            "job", draw => draw.OneOfMySide(TalkFacts.Jobs),
            new("I am a {0}.", "I work as a {0}.", "My job is {0}.", "I earn my living as a {0}.", "I have worked as a {0} for years.", "At work I am a {0}.", "I became a {0} after school.", "By trade I am a {0}.",
                "My profession: {0}.", "I am employed as a {0}.", "For a living I am a {0}.", "Since last spring I am a {0}."),
            ["That sounds interesting. What do you like about it?", "A {0}! That must keep you busy.", "Thank you for telling me."],
            new("What is my job?", "What do I work as?", "Do you remember my job?", "What do I do for a living?", "Tell me my profession.", "Which job did I say I have?", "What am I by trade?", "What work do I do?",
                "Do you know what I do at work?", "Say what my job is.", "How do I earn my living?", "What is my profession?"),
            ["You are a {0}.", "You work as a {0}."]),
        new(
            "colour", draw => draw.OneOfMySide(TalkFacts.Colours),
            new("My favourite colour is {0}.", "I like {0} best of all colours.", "The colour I love most is {0}.", "{0} is my favourite colour.", "Of all colours I prefer {0}.", "I paint everything {0}, it is my favourite colour.",
                "No colour is as nice as {0}.", "When it comes to colours, I choose {0}.", "I have always liked the colour {0} best.", "My best-loved colour is {0}.", "If I may choose a colour, I take {0}.", "The colour for me is {0}."),
            ["{0} is a lovely colour.", "Nice! I can draw you something {0}.", "Good choice."],
            new("What is my favourite colour?", "Which colour do I like best?", "Do you remember my favourite colour?", "What colour do I love most?", "Tell me my favourite colour.", "Which colour did I say I prefer?",
                "What was my favourite colour again?", "Which is the colour I like most?", "Name my favourite colour.", "Do you know which colour I like best?", "What colour would I choose?", "Say which colour is my favourite."),
            ["Your favourite colour is {0}.", "You like {0} best."]),
        new(
            "food", draw => draw.OneOfMySide(TalkFacts.Foods),
            new("My favourite food is {0}.", "I love to eat {0}.", "Best of all I like to eat {0}.", "{0} is what I like to eat most.", "I could eat {0} every day.", "Nothing tastes as good as {0}.",
                "For dinner I always want {0}.", "The food I like best is {0}.", "I am very fond of {0}.", "My favourite dish is {0}.", "Give me {0} and I am happy; it is my favourite food.", "What I like to eat most is {0}."),
            ["That sounds tasty!", "{0}, yum!", "Enjoy it!"],
            new("What is my favourite food?", "What do I like to eat?", "Do you remember what I like to eat best?", "Which food do I love?", "Tell me my favourite food.", "What did I say I love to eat?",
                "What would I like for dinner?", "Which dish do I like best?", "Name my favourite food.", "Do you know what I like to eat?", "What was my favourite food again?", "Say what I like to eat most."),
            ["Your favourite food is {0}.", "You like to eat {0}."]),
    ];

    private static readonly Wordings PetTold = new(
        "I have a {0} called {1}.", "My {0} is called {1}.", "We have a {0}; its name is {1}.", "My {0}'s name is {1}.", "{1} is my {0}.", "At home a {0} named {1} waits for me.", "I got a {0} and named it {1}.", "There is a {0} in our house. We call it {1}.",
        "I own a {0}. Its name is {1}.", "The {0} I have is called {1}.", "My pet is a {0}, and it is called {1}.", "I share my home with {1}, a {0}.");

    private static readonly string[] PetHeard = ["{1} is a nice name for a {0}.", "How sweet! Say hello to {1}.", "A {0}! How old is {1}?"];

    private static readonly Wordings PetAsked = new(
        "What is my {0} called?", "What is my {0}'s name?", "Do you remember my {0}'s name?", "How did I say my {0} is called?", "Tell me the name of my {0}.", "Which name has my {0}?",
        "Can you say what my {0} is called?", "What was my {0}'s name again?", "Name my {0}.", "Do you know my {0}'s name?", "I told you my {0}'s name. What is it?", "What did I name my {0}?");

    private static readonly Wordings PetKindAsked = new(
        "What kind of animal is {1}?", "What animal is {1}?", "Which animal do I have?", "What pet do I have?", "Is {1} a cat, a dog or what?", "Do you remember which pet I have?",
        "What sort of pet is {1}?", "Tell me what kind of animal {1} is.", "Which kind of pet is {1}?", "What is {1}?", "What animal did I tell you about?", "Who is {1}?");

    private static readonly Wordings ListTold = new(
        "I need to buy {0}, {1} and {2}.", "My shopping list: {0}, {1}, {2}.", "Please remember {0}, {1} and {2}.", "On my list are {0}, {1} and {2}.", "I want {0}, {1} and {2} from the shop.", "Keep in mind: {0}, {1}, {2}.",
        "We are out of {0}, {1} and {2}.", "Three things to get: {0}, {1}, {2}.", "Write this down: {0}, {1} and {2}.", "I must not forget {0}, {1} and {2}.", "Today I buy {0}, {1} and {2}.", "The list is {0}, {1}, {2}.");

    private static readonly string[] ListHeard = ["I will remember: {0}, {1} and {2}.", "Noted: {0}, {1} and {2}.", "All right."];

    private static readonly Wordings ListAsked = new(
        "What is on my list?", "What did I want to buy?", "Which three things did I name?", "Read me my list.", "What should I not forget?", "Tell me my list again.",
        "What do I need from the shop?", "What were the three things?", "Can you repeat my list?", "What was on my list?", "Say my list.", "Which things were on the list?");

    private static readonly string[] Goods = ["milk", "bread", "eggs", "butter", "apples", "rice", "soap", "tea", "cheese", "onions", "flour", "honey", "carrots", "salt", "coffee", "pears"];

    private static readonly Wordings Correction = new(
        "Sorry, I meant {0}.", "No, wait: {0}.", "I made a mistake, it is {0}.", "Actually it is {0}.", "Correction: {0}.", "Let me correct that: {0}.", "I was wrong, {0} is right.", "That was wrong. It should be {0}.",
        "Oh, not that. {0}.", "I have to correct myself: {0}.", "Excuse me, I meant to say {0}.", "Please change that to {0}.");

    private static readonly string[] CorrectionHeard = ["All right, {0}.", "Thank you, I will remember {0}.", "Understood: {0}."];

    /// <summary>Names of the kinds of thing that are remembered.</summary>
    internal static IReadOnlyList<string> Names { get; } = [.. Topics.Select(topic => topic.Name), "pet", "list"];

    /// <summary>A conversation in which something is said, other things are talked about, and it is asked for.</summary>
    /// <param name="draw">Chooses.</param>
    /// <param name="between">Turns between the saying and the asking; null is by chance up to four.</param>
    internal static Dialogue Make(TalkDraw draw, int? between = null)
    {
        var (name, told, asked) = draw.Number(0, Topics.Length + 1) switch
        {
            var at when at < Topics.Length => Plain(draw, Topics[at]),
            var at when at == Topics.Length => Pet(draw),
            _ => List(draw),
        };
        var fillers = Enumerable.Range(0, between ?? draw.Number(0, 4)).Select(_ => draw.One(TalkFamily.All).Make(draw));
        return new Dialogue("recall " + name, [.. told, .. fillers, asked]);
    }

    private static (string Name, TalkTurn[] Told, TalkTurn Asked) Plain(TalkDraw draw, Topic topic)
    {
        var value = topic.Value(draw);
        var told = new List<TalkTurn>();
        if (draw.Chance(0.2))
        {
            string first;
            do
            {
                first = topic.Value(draw);
            }
            while (first == value);
            told.Add(new(topic.Told.Say(draw, first), Filled(draw, topic.Heard, first)));
            told.Add(new(Correction.Say(draw, value), Filled(draw, CorrectionHeard, value)));
        }
        else
        {
            told.Add(new(topic.Told.Say(draw, value), Filled(draw, topic.Heard, value)));
        }

        return (topic.Name, [.. told], new(topic.Asked.Say(draw), Filled(draw, topic.Answers, value), value));
    }

    private static (string Name, TalkTurn[] Told, TalkTurn Asked) Pet(TalkDraw draw)
    {
        var (kind, name) = (draw.One(TalkFacts.PetKinds), draw.OneOfMySide(TalkFacts.PetNames));
        TalkTurn told = new(PetTold.Say(draw, kind, name), Filled(draw, PetHeard, kind, name));
        return ("pet", [told], draw.Chance(0.7)
            ? new(PetAsked.Say(draw, kind, name), $"Your {kind} is called {name}.", name)
            : new(PetKindAsked.Say(draw, kind, name), $"{name} is your {kind}.", kind));
    }

    private static (string Name, TalkTurn[] Told, TalkTurn Asked) List(TalkDraw draw)
    {
        object[] goods = [.. draw.Some(Goods, 3)];
        return ("list", [new(ListTold.Say(draw, goods), Filled(draw, ListHeard, goods))],
            new(ListAsked.Say(draw), Filled(draw, ["You named {0}, {1} and {2}.", "On your list are {0}, {1} and {2}."], goods), (string)goods[1]));
    }

    private static string Filled(TalkDraw draw, IReadOnlyList<string> sentences, params object[] values)
    {
        var text = string.Format(System.Globalization.CultureInfo.InvariantCulture, draw.One(sentences), values);
        return char.ToUpperInvariant(text[0]) + text[1..];
    }

    private sealed record Topic(
        string Name, Func<TalkDraw, string> Value, Wordings Told, string[] Heard, Wordings Asked, string[] Answers);
}
