using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using NextGpt.Host.Files;
using NextGpt.Host.Memory;
using NextGpt.Host.Turns;
using NextGpt.Media;

namespace NextGpt.Host.Tests;

/// <summary>A router with scripted ends and a clock that stands still.</summary>
internal sealed class RouterBench : IAsyncDisposable
{
    private int _messages;

    public RouterBench(TurnOptions? options = null, ScriptedTurnStore? store = null, ModelSenses? senses = null)
    {
        Options = options ?? new TurnOptions();
        Store = store ?? new ScriptedTurnStore();
        Queue = new TurnQueue(Options, Time);
        Readiness = new ModelReadiness(Time);
        var meter = new TurnMeter(null, Queue);
        var files = new FileReading(Media, Media, Options, senses ?? AnyToAny);
        Router = new ConversationRouter(Client, Store, Memory, Queue, meter, Readiness, files, Options, Time, Log);
        Kept = new KeptTurns(Store, Memory, Router, meter);
        Shelf = new ConversationShelf(Store, Memory, Kept, Router);
    }

    public static ModelSenses AnyToAny { get; } =
        new([MediaKind.Image, MediaKind.Audio, MediaKind.Video], [MediaKind.Image, MediaKind.Audio, MediaKind.Video]);

    /// <summary>Reads and writes files.</summary>
    public ScriptedMedia Media { get; } = new();

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 8, 1, 12, 0, 0, TimeSpan.Zero));

    public ScriptedChatClient Client { get; } = new();

    public ScriptedTurnStore Store { get; }

    public ConversationMemory Memory { get; } = new();

    public TurnQueue Queue { get; }

    public TurnOptions Options { get; }

    public ModelReadiness Readiness { get; }

    public ConversationRouter Router { get; }

    public KeptTurns Kept { get; }

    public ConversationShelf Shelf { get; }

    public RecordingLogger Log { get; } = new();

    public static string Text(IEnumerable<ReplyPart> parts) =>
        string.Concat(parts.OfType<AnswerText>().Select(part => part.Text));

    public IncomingTurn Turn(string text, string person = "ana", string conversation = "c1") => new()
    {
        Surface = "test",
        Conversation = new ConversationId(conversation),
        PersonId = person,
        MessageId = $"m{++_messages}",
        Text = text,
    };

    /// <summary>Asks at once (not when the parts are read) and collects all parts.</summary>
    public Task<IReadOnlyList<ReplyPart>> AskAsync(IncomingTurn turn, CancellationToken cancellationToken = default) =>
        CollectAsync(Router.AskAsync(turn, cancellationToken));

    public static async Task<IReadOnlyList<ReplyPart>> CollectAsync(IAsyncEnumerable<ReplyPart> parts)
    {
        var all = new List<ReplyPart>();
        await foreach (var part in parts)
        {
            all.Add(part);
        }

        return all;
    }

    public Task<IReadOnlyList<ReplyPart>> AskAsync(string text, string person = "ana", string conversation = "c1") =>
        AskAsync(Turn(text, person, conversation));

    /// <summary>Every call is answered at once with "re: " and the question.</summary>
    public RouterBench Echoing()
    {
        Client.Rule = call => call.Say("re: ").Say(call.Question).End();
        return this;
    }

    public ValueTask DisposeAsync() => Router.DisposeAsync();
}

/// <summary>Keeps log lines.</summary>
internal sealed class RecordingLogger : ILogger<ConversationRouter>
{
    private readonly List<(LogLevel Level, string Text)> _lines = [];

    public IReadOnlyList<(LogLevel Level, string Text)> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
        {
            _lines.Add((logLevel, formatter(state, exception)));
        }
    }
}
