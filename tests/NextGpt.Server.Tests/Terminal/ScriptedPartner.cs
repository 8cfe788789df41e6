using System.Runtime.CompilerServices;
using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Server.Terminal;

namespace NextGpt.Server.Tests.Terminal;

/// <summary>A partner of the console that a test plays.</summary>
internal sealed class ScriptedPartner : IChatPartner
{
    private int _turns;

    public string ModelId => "toy+tuned";

    public string Place => "test bench";

    public List<Ask> Asked { get; } = [];

    public List<string> Done { get; } = [];

    public ConsentState Consent { get; set; } = ConsentState.None;

    public Func<Ask, IEnumerable<ReplyPart>>? Answer { get; set; }

    /// <summary>Runs while the answer is on its way.</summary>
    public Action? Meanwhile { get; set; }

    public async IAsyncEnumerable<ReplyPart> AskAsync(Ask ask, [EnumeratorCancellation] CancellationToken stop)
    {
        await Task.CompletedTask;
        Asked.Add(ask);
        yield return new TurnAccepted($"t{++_turns}");
        foreach (var part in Answer?.Invoke(ask) ?? [new AnswerText($"re: {ask.Text}")])
        {
            yield return part;
            if (part is TurnFailed)
            {
                yield break;
            }
        }

        Meanwhile?.Invoke();
        yield return new TurnFinished
        {
            FinishReason = stop.IsCancellationRequested ? "cancelled" : "stop",
            PromptTokens = 3,
            ReplyTokens = 6,
            Kept = Consent.Keep,
            Duration = TimeSpan.FromSeconds(2),
        };
    }

    public Task<(ConsentState Consent, string? NotKeptBecause)> GetConsentAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult((Consent, (string?)null));

    public Task<string> GetKeepTextAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult(ConsentText.KeepFor(30));

    public Task SetConsentAsync(bool keep, bool train, CancellationToken cancellationToken = default)
    {
        Consent = new ConsentState(keep, train, ConsentText.Version, null);
        Done.Add($"consent {keep} {train}");
        return Task.CompletedTask;
    }

    public Task<VoteOutcome> RateAsync(
        string turnId, TurnVote vote, string? reason, string? correction, CancellationToken cancellationToken = default)
    {
        Done.Add($"rate {turnId} {vote} {reason ?? "-"} {correction ?? "-"}");
        return Task.FromResult(Consent.Keep ? VoteOutcome.Kept : VoteOutcome.Counted);
    }

    public Task ExportAsync(Stream destination, CancellationToken cancellationToken = default) =>
        destination.WriteAsync("zip"u8.ToArray(), cancellationToken).AsTask();

    public Task<int> EraseAsync(CancellationToken cancellationToken = default)
    {
        Done.Add("erase");
        return Task.FromResult(4);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
