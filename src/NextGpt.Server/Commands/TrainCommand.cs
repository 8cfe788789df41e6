using System.CommandLine;
using NextGpt.Tuning;

namespace NextGpt.Server.Commands;

/// <summary><c>train</c>: trains a part of the embedded model; the stages read their own arguments.</summary>
internal static class TrainCommand
{
    public static Command Create(Surroundings surroundings)
    {
        var train = new Command("train", "Train a part of the embedded model; `nextgpt train` lists the stages.");
        train.TreatUnmatchedTokensAsErrors = false;
        train.SetAction((parsed, cancellationToken) =>
        {
            var arguments = parsed.UnmatchedTokens;
            return Task.Run(
                () => TrainVerb.Run(arguments, surroundings.Output, cancellationToken) switch
                {
                    0 => ExitCode.Done,
                    2 => ExitCode.Usage,
                    _ => cancellationToken.IsCancellationRequested ? ExitCode.Stopped : ExitCode.Failed,
                },
                CancellationToken.None);
        });
        return train;
    }
}
