using NextGpt.Model;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning.Tasks;

/// <summary>Words in, words out: what a thing is, talk about media, everyday talk.</summary>
internal static class WordTasks
{
    private static readonly Wordings Gloss = new(
        "What {1} {0}?", "Explain what {0} {1}.", "Tell me what {0} {1}.", "How would you define {0}?", "In words only: what {1} {0}?", "Describe {0} in words.", "Give me a definition of {0}.", "What is meant by {0}?",
        "I do not want a picture, just tell me: what {1} {0}?", "Do you know what {0} {1}?", "What does one understand by {0}?", "Without drawing: what {1} {0}?");

    private static readonly Wordings About = new(
        "What is a picture?", "Do you like drawings?", "Is it hard to draw?", "Who invented photography?", "Which sounds are pleasant?", "Why do films move?", "Do you enjoy music?", "Can you hear me?",
        "How do you make pictures?", "What makes a good video?", "Are your drawings copied from somewhere?", "Tell me how sound travels.");

    private static readonly string[] AboutAnswers =
    [
        "A picture shows something on a flat surface.", "I like to make them; just tell me what you want to see.", "It takes practice. I do it by turning noise into shapes, step by step.",
        "Joseph Nicéphore Niépce took the first lasting photograph, in the 1820s.", "Many people like rain, birdsong and soft music.", "A film is a row of still pictures shown so fast that the eye sees them move.",
        "I have no feelings, but I can play you an instrument.", "I read what you write. I hear only sounds that you send me.", "I start from noise and take it away in small steps until a picture is left.",
        "A clear subject and a steady movement.", "I learnt from open collections of small drawings; what I draw is made anew.", "Sound travels as waves of pressure through air, water or solid things.",
    ];

    internal static IReadOnlyList<TaskFamily> Families { get; } =
    [
        new("text to text", 6, Define),
        new("about media, in words", 2, draw =>
        {
            // The question and its answer share a place in their lists; which of them are for testing is the wordings' own rule.
            var question = About.Say(draw.Talk);
            var all = Interleaved();
            return draw.Sample("about media, in words", null, TaskDraw.Ask(question), TaskDraw.Answer(all[question]));
        }),
        new("everyday talk", 39, draw =>
        {
            var seed = draw.Talk.Number(0, int.MaxValue - 1);
            var dialogue = draw.Talk.Testing ? TalkComposer.ForTesting(3, seed)[draw.Talk.Number(0, 2)] : TalkComposer.ForTraining(1, seed)[0];
            return draw.Sample("everyday talk", dialogue.Turns[^1].Expected, [.. dialogue.Turns.SelectMany(turn => new[]
            {
                new InstructionMessage(PromptRole.User, [new WordsPart(turn.Question)]),
                new InstructionMessage(PromptRole.Assistant, [new WordsPart(turn.Answer)]),
            })]);
        }),
    ];

    private static Dictionary<string, string> Interleaved()
    {
        string[] questions = [.. Enumerable.Range(0, AboutAnswers.Length).Select(index =>
            index % 4 == 3 ? About.ForTesting[index / 4] : About.ForTraining[(index / 4 * 3) + (index % 4)])];
        return questions.Zip(AboutAnswers).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
    }

    private static InstructionSample? Define(TaskDraw draw)
    {
        var row = draw.Pool.One(WorldKind.Picture, draw.Talk, row => draw.Pool.World.Gloss(row.Concept) is not null);
        if (row is null || WorldNames.Of(row) is not { } said || draw.Pool.World.Gloss(row.Concept) is not { IsForTraining: true } gloss)
        {
            return null;
        }

        // The first sense up to its first semicolon, without brackets and examples: dictionaries say more than a chat wants.
        var meaning = gloss.Caption.Split(';', ':')[0].Trim();
        if (meaning.Contains('(', StringComparison.Ordinal) || meaning.Contains('`', StringComparison.Ordinal) || meaning.Contains('"', StringComparison.Ordinal))
        {
            return null;
        }

        return draw.Sample("text to text", null,
            TaskDraw.Ask(Gloss.Say(draw.Talk, said, WorldNames.Be(said))), TaskDraw.Answer($"{WorldNames.Upper(said)}: {meaning}."));
    }
}
