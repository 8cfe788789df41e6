namespace NextGpt.Tuning.Talk;

/// <summary>Opposites, synonyms, plurals, spelling, rhymes, letters, greetings in other languages.</summary>
internal static class WordTalk
{
    private static readonly Wordings Opposite = new(
        "What is the opposite of {0}?", "Give me the opposite of {0}.", "Which word means the contrary of {0}?", "If something is not {0} at all, what is it?", "The opposite of {0} is what?", "Name the opposite of {0}.",
        "What is the reverse of {0}?", "Tell me the opposite word for {0}.", "{0}: what is its opposite?", "Say the opposite of {0}.", "What do you call the opposite of {0}?", "Find the opposite of {0}.");

    private static readonly Wordings Synonym = new(
        "Give me another word for {0}.", "What is a synonym of {0}?", "Which word means the same as {0}?", "How else can I say {0}?", "What is another word for {0}?", "Name a synonym for {0}.",
        "Tell me a word like {0}.", "I need a different word for {0}.", "Say {0} in another way, in one word.", "What word could replace {0}?", "Find a word with the same meaning as {0}.", "Do you know a synonym for {0}?");

    private static readonly Wordings Plural = new(
        "What is the plural of {0}?", "One {0}, two what?", "Give me the plural of {0}.", "How do you write more than one {0}?", "What do you call several of a {0}?", "Tell me the plural form of {0}.",
        "The plural of {0} is what?", "Put {0} into the plural.", "What is {0} in the plural?", "Name the plural of {0}.", "If there are many, one {0} becomes what?", "Say the plural of {0}.");

    private static readonly Wordings Spell = new(
        "How do you spell {0}?", "Spell {0}.", "Can you spell the word {0}?", "Tell me the letters of {0}.", "Please spell {0} for me.", "What are the letters in {0}, in order?",
        "Spell out {0}.", "Which letters make up {0}?", "Write {0} letter by letter.", "Give me the spelling of {0}.", "I want to spell {0}. How?", "Say {0} one letter at a time.");

    private static readonly Wordings First = new(
        "What is the first letter of {0}?", "Which letter does {0} begin with?", "{0} starts with which letter?", "Tell me the first letter of {0}.", "With what letter does the word {0} start?", "Name the letter that begins {0}.",
        "What letter comes first in {0}?", "How does {0} begin, with which letter?", "The word {0} begins with what letter?", "Say the first letter in {0}.", "Which is the initial letter of {0}?", "What does {0} start with?");

    private static readonly Wordings Rhyme = new(
        "What rhymes with {0}?", "Give me a rhyme for {0}.", "Which word rhymes with {0}?", "Tell me a word that rhymes with {0}.", "I need a rhyme for {0}.", "Name something that rhymes with {0}.",
        "Find a word that sounds like {0} at the end.", "Can you rhyme {0}?", "{0} rhymes with what?", "Say a word that rhymes with {0}.", "Do you know a rhyme for {0}?", "What goes with {0} in a rhyme?");

    private static readonly Wordings Hello = new(
        "How do you say hello in {0}?", "What is hello in {0}?", "Greet me in {0}.", "Tell me the {0} word for hello.", "How do people greet each other in {0}?", "Say hello in {0}.",
        "What do I say for hello in {0}?", "Translate hello into {0}.", "Hello in {0}?", "Which word is hello in {0}?", "How would you greet someone in {0}?", "Give me a {0} greeting.");

    private static readonly Wordings ThankYou = new(
        "How do you say thank you in {0}?", "What is thank you in {0}?", "Thank me in {0}.", "Tell me the {0} word for thanks.", "How do people say thanks in {0}?", "Say thank you in {0}.",
        "What do I say for thanks in {0}?", "Translate thank you into {0}.", "Thank you in {0}?", "Which word is thanks in {0}?", "How would you thank someone in {0}?", "Give me the {0} for thank you.");

    internal static IReadOnlyList<TalkFamily> Families { get; } =
    [
        new("opposite", draw =>
        {
            var (one, other) = draw.One(TalkFacts.Opposites);
            return new(Opposite.Say(draw, one), $"The opposite of {one} is {other}.", other);
        }),
        new("synonym", draw =>
        {
            var (one, other) = draw.One(TalkFacts.Synonyms);
            return new(Synonym.Say(draw, one), $"Another word for {one} is {other}.", other);
        }),
        new("plural", draw =>
        {
            var (one, many) = draw.One(TalkFacts.Plurals);
            return new(Plural.Say(draw, one), $"The plural of {one} is {many}.", many);
        }),
        new("spelling", draw =>
        {
            var word = draw.One(TalkFacts.Words);
            var letters = string.Join('-', word.ToUpperInvariant().ToCharArray());
            return new(Spell.Say(draw, word), $"{letters}.", letters);
        }),
        new("first letter", draw =>
        {
            var word = draw.One(TalkFacts.Words);
            return new(First.Say(draw, word), $"The word {word} begins with {char.ToUpperInvariant(word[0])}.", $"with {char.ToUpperInvariant(word[0])}");
        }),
        new("rhyme", draw =>
        {
            var words = draw.Some(draw.One(TalkFacts.Rhymes), 2);
            return new(Rhyme.Say(draw, words[0]), $"{char.ToUpperInvariant(words[1][0])}{words[1][1..]} rhymes with {words[0]}.");
        }),
        new("hello abroad", draw =>
        {
            var (language, hello, _) = draw.One(TalkFacts.Greetings);
            return new(Hello.Say(draw, language), $"In {language} you say \"{hello}\".", hello);
        }),
        new("thanks abroad", draw =>
        {
            var (language, _, thanks) = draw.One(TalkFacts.Greetings);
            return new(ThankYou.Say(draw, language), $"In {language} you say \"{thanks}\".", thanks);
        }),
    ];
}
