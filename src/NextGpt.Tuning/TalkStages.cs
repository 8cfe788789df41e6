using System.Text.Json;
using NextGpt.Model;
using NextGpt.Model.Language;
using NextGpt.Model.Lora;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Talk;

namespace NextGpt.Tuning;

/// <summary>The stages of <c>nextgpt train</c> that teach the language model to talk.</summary>
internal static class TalkStages
{
    /// <summary>Goes on where an earlier call stopped: requests that have an answer in the file are not asked again.</summary>
    internal static void AskOpen(TrainArguments options, TextWriter output, CancellationToken cancellationToken)
    {
        var file = options.Required("open");
        var asked = File.Exists(file) ? OpenTalk.Read(file).Select(answer => answer.Request).ToHashSet(StringComparer.Ordinal) : [];
        var seed = options.Whole("seed") ?? 1;
        var requests = OpenTalk.Requests(options.Whole("count") ?? 400, seed, testing: false).Where(request => !asked.Contains(request)).ToList();
        using var model = ModelThread.Of(ModelOf(options));
        model.LoadAsync(null, cancellationToken).GetAwaiter().GetResult();
        var kept = 0;
        var bad = OpenTalk.AskAsync(
            model, requests, seed,
            answer =>
            {
                File.AppendAllText(file, JsonSerializer.Serialize(answer) + "\n");
                if (++kept % 20 == 0)
                {
                    output.WriteLine($"{kept} answers of {requests.Count} requests kept");
                }
            },
            cancellationToken).GetAwaiter().GetResult();
        output.WriteLine($"{kept} answers kept in {file}; {bad} were cut off, too short or repeated themselves.");
    }

    internal static void Train(TrainArguments options, TrainingSchedule schedule, TextWriter output, CancellationToken cancellationToken)
    {
        using var language = TrainableLanguage.Load(ModelOf(options));
        var trainer = new TalkTrainer(language, schedule, options.Required("out"), output, TimeProvider.System)
        {
            Open = options.Text("open") is { } file ? OpenTalk.Read(file) : [],
            Adapter = TalkTrainer.AdapterOfRank(options.Whole("rank") ?? 32),
        };
        trainer.Train(options.Has("resume"), cancellationToken);
    }

    internal static void Examine(TrainArguments options, TextWriter output, CancellationToken cancellationToken)
    {
        using var language = TrainableLanguage.Load(ModelOf(options));
        using var adapter = options.Text("adapter") is { } folder ? LoraAdapter.Load(folder, language.Network) : null;
        adapter?.Attach(language.Network);
        var marks = TalkExam.Ask(language, TalkComposer.ForTesting(options.Whole("count") ?? 300, options.Whole("seed") ?? 2), cancellationToken);
        foreach (var mark in marks)
        {
            output.WriteLine($"{mark.Right switch { true => "right", false => "WRONG", null => "  -  " }} {mark.Dialogue.Family}: {mark.Dialogue.Turns[^1].Question} -> {mark.Said}");
        }

        output.WriteLine(TalkExam.Sum(marks));
    }

    private static ModelOptions ModelOf(TrainArguments options) => new() { Path = options.Text("model"), Device = options.Text("device") ?? "cpu" };
}
