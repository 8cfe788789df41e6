namespace NextGpt.Tuning.Talk;

/// <summary>Countries, uses, sizes, what can fly or be eaten, lists of three, short how-to answers.</summary>
internal static class FactTalk
{
    private static readonly Wordings Capital = new(
        "What is the capital of {0}?", "Which city is the capital of {0}?", "Name the capital of {0}.", "Do you know the capital of {0}?", "Tell me the capital city of {0}.", "The capital of {0} is which city?",
        "What city governs {0}?", "{0}: what is its capital?", "In which city does the government of {0} sit?", "Can you name the capital of {0}?", "Which is the capital city of {0}?", "What do they call the capital of {0}?");

    private static readonly Wordings Whose = new(
        "Of which country is {0} the capital?", "{0} is the capital of which country?", "Which country has {0} as its capital?", "In which country does one find the capital {0}?", "Whose capital is {0}?", "Name the country whose capital is {0}.",
        "What country is {0} the capital of?", "{0}: capital of what country?", "Tell me which country {0} is the capital of.", "The city {0} is the capital of what?", "To which country does the capital {0} belong?", "Which land has the capital {0}?");

    private static readonly Wordings Continent = new(
        "On which continent is {0}?", "Which continent does {0} belong to?", "Where in the world is {0}, on which continent?", "What continent is {0} part of?", "Tell me the continent of {0}.", "{0} lies on which continent?",
        "Name the continent that {0} is on.", "In which part of the world is {0}?", "What continent would I fly to for {0}?", "Is {0} in Europe, Asia, Africa, America or Oceania?", "Say on which continent {0} lies.", "To what continent does {0} belong?");

    private static readonly Wordings Language = new(
        "Which language do most people in {0} speak?", "What language is spoken in {0}?", "What do they speak in {0}?", "Which language should I learn for {0}?", "Tell me the main language of {0}.", "In {0}, what language do people speak?",
        "What is the language of {0}?", "Name the language that is used most in {0}.", "People in {0} speak what?", "What is mostly spoken in {0}?", "I will travel to {0}. Which language will I hear?", "Say which language is spoken in {0}.");

    private static readonly Wordings Use = new(
        "What is {0} used for?", "What do you do with {0}?", "Why do people have {0}?", "What is {0} good for?", "What does one need {0} for?", "Tell me what {0} is for.",
        "For what is {0} used?", "What can I do with {0}?", "How do people use {0}?", "Explain what {0} is for, in one sentence.", "When would I use {0}?", "What purpose has {0}?");

    private static readonly Wordings Bigger = new(
        "Which is bigger, {0} or {1}?", "Is {0} bigger than {1}?", "What is larger, {0} or {1}?", "Which of the two is bigger: {0} or {1}?", "Compare {0} with {1}: which is larger?", "Would {0} be larger than {1}?",
        "{0} or {1}: which is the bigger one?", "Tell me which is larger, {0} or {1}.", "Of {0} and {1}, which takes more room?", "Which one is bigger, {0} or {1}?", "Between {0} and {1}, what is bigger?", "Who is bigger, {0} or {1}?");

    private static readonly Wordings Fly = new(
        "Can {0} fly?", "Is {0} able to fly?", "Does {0} fly?", "Can you say whether {0} can fly?", "Have you ever heard of {0} flying? I mean, can it?", "Could {0} fly over a house?",
        "Yes or no: can {0} fly?", "Do you think {0} can fly?", "Would {0} be able to fly?", "Is it true that {0} can fly?", "Tell me if {0} can fly.", "Is flying something {0} can do?");

    private static readonly Wordings Eat = new(
        "Is {0} food?", "Can I eat {0}?", "Is {0} something to eat?", "Would you call {0} food?", "Do people eat {0}?", "Yes or no: is {0} food?",
        "Is {0} good to eat?", "Could {0} be my lunch?", "Does one eat {0}?", "Is it a good idea to eat {0}?", "Tell me whether {0} is food.", "Could I put {0} on my plate and eat it?");

    private static readonly Wordings Three = new(
        "Name three {0}.", "Give me three {0}.", "Can you list three {0}?", "Tell me three {0}.", "List three {0}, please.", "What are three {0}?",
        "Three {0}, please.", "I need the names of three {0}.", "Which three {0} come to your mind?", "Say three {0}.", "Think of three {0}.", "Write down three {0}.");

    private static readonly Wordings How = new(
        "How do I {0}?", "How can I {0}?", "Tell me how to {0}.", "What is a good way to {0}?", "Explain how to {0}.", "I want to {0}. How does that work?",
        "Please tell me how to {0}.", "What do I have to do to {0}?", "How does one {0}?", "Can you explain how to {0}?", "Help me to {0}.", "What are the steps to {0}?");

    internal static IReadOnlyList<TalkFamily> Families { get; } =
    [
        new("capital", draw =>
        {
            var country = draw.One(TalkFacts.Countries);
            return new(Capital.Say(draw, country.Name), $"The capital of {country.Name} is {country.Capital}.", country.Capital);
        }),
        new("country of a capital", draw =>
        {
            var country = draw.One(TalkFacts.Countries);
            return new(Whose.Say(draw, country.Capital), $"{country.Capital} is the capital of {country.Name}.", Bare(country.Name));
        }),
        new("continent", draw =>
        {
            var country = draw.One(TalkFacts.Countries);
            return new(Continent.Say(draw, country.Name), Upper($"{country.Name} is in {country.Continent}."), country.Continent);
        }),
        new("language", draw =>
        {
            var country = draw.One(TalkFacts.Countries);
            return new(Language.Say(draw, country.Name), $"In {country.Name} most people speak {country.Language}.", country.Language);
        }),
        new("use", draw =>
        {
            var (thing, use) = draw.One(TalkFacts.Uses);
            return new(Use.Say(draw, thing), Upper($"{thing} is used for {use}."), use.Split(' ')[^1]);
        }),
        new("bigger", draw =>
        {
            var places = draw.Some([.. Enumerable.Range(0, TalkFacts.Sizes.Count)], 2);
            var (big, small) = (TalkFacts.Sizes[Math.Max(places[0], places[1])], TalkFacts.Sizes[Math.Min(places[0], places[1])]);
            return new(Bigger.Say(draw, TalkFacts.Sizes[places[0]], TalkFacts.Sizes[places[1]]), Upper($"{big} is bigger than {small}."), $"{big} is bigger");
        }),
        new("fly", draw => YesOrNo(draw, Fly, draw.One(TalkFacts.Flying), "can fly", "cannot fly")),
        new("food", draw => YesOrNo(draw, Eat, draw.One(TalkFacts.Food), "is food", "is not food")),
        new("three", draw =>
        {
            var (kind, members) = draw.One(TalkFacts.Kinds);
            var three = draw.Some(members, 3);
            return new(Three.Say(draw, kind), Upper($"{three[0]}, {three[1]} and {three[2]}."));
        }),
        new("how to", draw =>
        {
            var (task, answer) = draw.One(TalkFacts.Ways);
            return new(How.Say(draw, task), answer);
        }),
    ];

    private static TalkTurn YesOrNo(TalkDraw draw, Wordings wordings, (string Thing, bool Yes) fact, string yes, string no) =>
        new(wordings.Say(draw, fact.Thing), fact.Yes ? $"Yes, {fact.Thing} {yes}." : $"No, {fact.Thing} {no}.", fact.Yes ? "Yes" : "No");

    private static string Bare(string name) => name.StartsWith("the ", StringComparison.Ordinal) ? name[4..] : name;

    private static string Upper(string sentence) => char.ToUpperInvariant(sentence[0]) + sentence[1..];
}
