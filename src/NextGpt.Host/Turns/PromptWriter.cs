using Microsoft.Extensions.AI;
using NextGpt.Conversations;
using NextGpt.Host.Files;
using NextGpt.Host.Memory;

namespace NextGpt.Host.Turns;

/// <summary>Writes a turn as the chat client takes it: messages with their media, settings.</summary>
internal sealed class PromptWriter(FileReading files, ITurnStore store, TurnOptions options)
{
    /// <summary>Question and answer of a turn, with what belongs to each.</summary>
    public static HistoryMessage[] MessagesOf(RememberedTurn turn) =>
    [
        new(FromModel: false, turn.Question, [.. turn.Media.Where(medium => medium.FromPerson)]),
        new(FromModel: true, turn.Answer, [.. turn.Media.Where(medium => !medium.FromPerson && medium.Lost is null)]),
    ];

    /// <summary>The messages that a surface brought along, their files read; what cannot be read is said under the answer.</summary>
    public async Task<IReadOnlyList<HistoryMessage>> ReadHistoryAsync(
        RunningTurn turn, IReadOnlyList<EarlierMessage> history)
    {
        var read = new List<HistoryMessage>(history.Count);
        foreach (var message in history)
        {
            if (message.Files.Count == 0)
            {
                read.Add(new HistoryMessage(message.FromModel, message.Text, []));
                continue;
            }

            var found = await files.ReadAsync($"{turn.Id}/{read.Count}", message.Files, turn.Stopped);
            IEnumerable<string> refused = found.Refusal is { } refusal
                ? [$"The files of an earlier message were left out: {refusal.Sentence}"]
                : [];
            turn.FileNotices = [.. turn.FileNotices, .. found.Notices, .. refused];
            read.Add(new HistoryMessage(message.FromModel, message.Text, found.Media));
        }

        return read;
    }

    /// <summary>The person's files under ids of this turn, whichever turn they came with.</summary>
    public List<RememberedMedium> FilesOf(RunningTurn turn, PersonKey person) =>
    [
        .. turn.Files.Select(medium => medium with { File = ConversationShelf.FileOf(store, person, medium) })
            .Where(medium => medium.File is not null)
            .Select((medium, number) => medium with
            {
                MediaId = RememberedMedium.IdOf(turn.Id, fromPerson: true, number),
                Hash = null,
            }),
    ];

    /// <summary>The prompt: system text, history with its media, the question with its files.</summary>
    /// <param name="turn">The turn.</param>
    /// <param name="history">What was said before.</param>
    /// <param name="person">Whose media the log may give.</param>
    /// <param name="forgotten">Media of earlier messages that are not remembered any more.</param>
    public List<ChatMessage> MessagesOf(
        RunningTurn turn, IReadOnlyList<HistoryMessage> history, PersonKey person, out int forgotten)
    {
        var messages = new List<ChatMessage>();
        if ((turn.Incoming.Settings?.SystemText ?? options.SystemText) is { Length: > 0 } systemText)
        {
            messages.Add(new ChatMessage(ChatRole.System, systemText));
        }

        // The newest media come along, as many as a conversation remembers; an answer's own are seen again too.
        var room = options.MaxRememberedMedia;
        forgotten = 0;
        var earlier = new List<ChatMessage>(history.Count);
        foreach (var message in history.Reverse())
        {
            var media = new List<RememberedMedium>();
            foreach (var medium in message.Media.Where(medium => files.Senses.Reads.Contains(medium.Kind)))
            {
                if (room > 0 && ConversationShelf.FileOf(store, person, medium) is { } file)
                {
                    room--;
                    media.Add(medium with { File = file });
                }
                else
                {
                    forgotten++;
                }
            }

            var contents = message.FromModel
                ? Prompt.OfAnswer(message.Text, media)
                : Prompt.OfQuestion(message.Text, media);
            if (contents.Count > 0)
            {
                earlier.Add(new ChatMessage(message.FromModel ? ChatRole.Assistant : ChatRole.User, contents));
            }
        }

        earlier.Reverse();
        messages.AddRange(earlier);
        messages.Add(new ChatMessage(ChatRole.User, Prompt.OfQuestion(turn.Incoming.Text, turn.Files)));
        return messages;
    }

    /// <summary>The settings as the chat client takes them.</summary>
    public ChatOptions SettingsOf(RunningTurn turn, Reply reply) => new()
    {
        ConversationId = turn.ContextKey,
        Seed = reply.Seed,
        Temperature = (float?)turn.Incoming.Settings?.Temperature,
        TopP = (float?)turn.Incoming.Settings?.TopP,
        MaxOutputTokens = turn.Incoming.Settings?.MaxTokens,
        StopSequences = turn.Incoming.Settings?.StopSequences is { Count: > 0 } stops ? [.. stops] : null,
        AdditionalProperties = Prompt.Modalities(turn.Incoming.Settings, files.Senses),
    };
}
