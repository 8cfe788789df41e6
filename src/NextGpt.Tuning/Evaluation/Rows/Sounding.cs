using NextGpt.Media;
using NextGpt.Model;
using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Sounds;
using NextGpt.Tuning.Tasks;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Evaluation.Rows;

/// <summary>Sounds are made on request, and an independent encoder looks for the asked one among all.</summary>
internal static class Sounding
{
    private const int LongestAnswer = 48;
    private const int Seconds = 4;

    internal static string? Missing(EvaluationBench bench) => bench.WithoutWorld ?? bench.WithoutMaking(MediaKind.Audio) ?? bench.WithoutJudge(MediaKind.Audio);

    internal static async Task<RowFindings> RunAsync(EvaluationBench bench, CancellationToken cancellationToken)
    {
        var judge = bench.Judge!;   // asked for by Missing
        var draw = bench.Draw("sounding");
        var gallery = bench.Sounds(cancellationToken);
        var rows = EvaluationBench.Some(
            draw,
            bench.World!.Of(WorldKind.Sound).Where(row => row.Split is "train" or "test_pair").OrderBy(row => row.Id, StringComparer.Ordinal).DistinctBy(row => row.Caption),
            bench.Count(200, 12));
        if (rows.Count == 0)
        {
            return new RowFindings([], []) { Gaps = ["Sounding: this world has no sounds."] };
        }

        var requests = rows.Select(row => MakingTasks.Hear.Say(draw, row.Caption)).ToList();
        var replies = await bench.AskAsync(
            rows.Count, place => Examinee.Greedy([PromptMessage.Of(PromptRole.User, requests[place])], LongestAnswer, place), cancellationToken);
        var sounds = replies.Select(reply => reply.First<AudioClip>()).ToList();
        var ranks = Drawing.Ranks(judge, gallery.Concepts, rows, sounds, cancellationToken);
        var sheets = new List<string>();
        if (bench.Options.Out is { } folder)
        {
            Directory.CreateDirectory(Path.Combine(folder, "sheets"));
            Show(Path.Combine(folder, "sheets/sounding.png"), [.. rows.SelectMany((row, place) => new[] { (AudioClip)bench.Mixture.Studio.Make(new SoundRecipe([row])), sounds[place] })]);
            sheets.Add("sheets/sounding.png");
        }

        return new RowFindings(
            [.. Drawing.Figures("sounding", "sounds", ranks, gallery.RealRanks(rows), gallery.Concepts.Count, 0.60, null)],
            [.. rows.Select((row, place) => new EvaluationItem(
                requests[place], replies[place].Text, row.Id, ranks[place] == 1, ranks[place] is { } rank ? $"place {rank}" : "no sound came"))])
        {
            Sheets = sheets,
        };
    }

    /// <summary>Real and made side by side, four seconds each; what was not made stays black.</summary>
    private static void Show(string file, List<AudioClip?> sounds)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var mel = new MelSpectrogram(CPU);
        var samples = new float[sounds.Count, Seconds * MelSpectrogram.SampleRateHz];
        for (var place = 0; place < sounds.Count; place++)
        {
            var heard = sounds[place]?.ToMono().Resample(MelSpectrogram.SampleRateHz).Channels[0] ?? [];
            for (var at = 0; at < Math.Min(heard.Length, samples.GetLength(1)); at++)
            {
                samples[place, at] = heard[at];
            }
        }

        SpectrogramSheet.Write(file, mel.Of(tensor(samples)), 4);
    }
}
