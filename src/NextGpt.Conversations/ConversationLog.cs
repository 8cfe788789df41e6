using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NextGpt.Conversations.Attachments;
using NextGpt.Conversations.Files;
using NextGpt.Conversations.Index;
using NextGpt.Conversations.Journals;
using NextGpt.Conversations.Messages;
using NextGpt.Conversations.Privacy;
using NextGpt.Conversations.State;

namespace NextGpt.Conversations;

/// <summary>The log of consented turns: journal first, one writer thread, LiteDB as index. Thread-safe.</summary>
/// <remarks>
/// An answer "kept" means: on the disk. Content stands in the journal and in media files only; the index holds ids, times
/// and counts and can be made anew at any time.
/// </remarks>
public sealed partial class ConversationLog : IAsyncDisposable, IDisposable
{
    private readonly ConversationOptions _options;
    private readonly TimeProvider _time;
    private readonly IFileLayer _files;
    private readonly string _folder;
    private readonly string _indexFolder;
    private readonly ILogger _log;
    private readonly LogWriter _writer;
    private readonly TurnIndex _index;
    private readonly MessageLedger _messages;
    private readonly SemaphoreSlim _maintenance = new(1, 1);
    private readonly PendingWithdrawals _withdrawn = new();
    private LogLock? _lock;
    private PersonSecret _secret = PersonSecret.Fleeting();
    private IndexMark? _mark;
    private MediaStore? _media;
    private int _closed;

    private ConversationLog(
        ConversationOptions options, TimeProvider time, IFileLayer files, string folder, string indexFolder, ILogger log)
    {
        (_options, _time, _files, _folder, _indexFolder, _log) = (options, time, files, folder, indexFolder, log);
        _index = new(indexFolder, time, AllRows, () => _writer?.Core?.State.Turns.Count ?? 0, log);
        _messages = new(
            files, Path.Combine(folder, "messages"), time, TimeSpan.FromDays(options.MessageRetentionDays));
        _writer = new(OpenCore, time, CoreOpened, log);
    }

    /// <summary>Opens the log, taking its lock and repairing what a crash left.</summary>
    /// <remarks>A failing disk is not an error: the log then says why nothing is kept and opens by itself later.</remarks>
    /// <exception cref="LogLockedException">Another process holds it.</exception>
    /// <exception cref="LogTooNewException">A later version wrote it.</exception>
    /// <exception cref="InvalidDataException">The key file can be read by others or is damaged.</exception>
    public static Task<ConversationLog> OpenAsync(
        ConversationOptions options, TimeProvider time, CancellationToken cancellationToken = default) =>
        OpenAsync(options, time, NullLogger.Instance, cancellationToken);

    /// <summary>Opens the log and says in <paramref name="log"/> what it repairs; never any content.</summary>
    /// <inheritdoc cref="OpenAsync(ConversationOptions, TimeProvider, CancellationToken)"/>
    public static Task<ConversationLog> OpenAsync(
        ConversationOptions options, TimeProvider time, ILogger log, CancellationToken cancellationToken = default) =>
        OpenAsync(options, time, new DiskFileLayer(), options.FullFolder, log, cancellationToken);

    internal static async Task<ConversationLog> OpenAsync(
        ConversationOptions options,
        TimeProvider time,
        IFileLayer files,
        string indexFolder,
        ILogger log,
        CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var opened = new ConversationLog(options, time, files, options.FullFolder, indexFolder, log);
        try
        {
            await opened._writer.OpenAsync();
            await opened._messages.OpenAsync();
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether turns can be kept right now; false says <c>not_logged</c> and why.</summary>
    public bool IsAvailable => _writer.Core is not null;

    /// <summary>Days a kept turn stays.</summary>
    public int TurnRetentionDays => _options.TurnRetentionDays;

    /// <summary>Why turns are not being kept, as a sentence for the operator, or null.</summary>
    public string? UnavailableBecause => _writer.UnavailableBecause;

    /// <summary>The key of a person; needs no disk.</summary>
    public PersonKey KeyOf(string surface, string platformUserId)
    {
        ArgumentException.ThrowIfNullOrEmpty(surface);
        ArgumentException.ThrowIfNullOrEmpty(platformUserId);
        return Volatile.Read(ref _secret).PersonOf(surface, platformUserId);
    }

    /// <summary>What a person has allowed.</summary>
    public ConsentState GetConsent(PersonKey person) => ConsentOf(NumberOf(person));

    /// <summary>Records an act of consent or withdrawal; withdrawing <paramref name="keep"/> removes earlier turns.</summary>
    /// <exception cref="ArgumentException">Training without keeping, or no text version.</exception>
    /// <exception cref="LogUnavailableException">
    /// The disk fails. A withdrawal holds from this moment on all the same, and is written as soon as the disk works.
    /// </exception>
    public async Task<ConsentState> SetConsentAsync(
        PersonKey person, bool keep, bool train, string textVersion, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(textVersion);
        if (train && !keep)
        {
            throw new ArgumentException("Turns that are not kept cannot train; switch keeping on or training off.", nameof(train));
        }

        if (textVersion.Length > 100)
        {
            throw new ArgumentException("The version of a consent text has at most 100 characters.", nameof(textVersion));
        }

        cancellationToken.ThrowIfCancellationRequested();
        var number = NumberOf(person);
        var act = new ConsentContent(keep, train, textVersion, keep ? "given" : "withdrawn");
        if (!keep)
        {
            _withdrawn.Add(number, act);
            if (await WriteWithdrawalAsync(number, act, "withdrawn") > 0)
            {
                await _index.ScrubAsync();
            }

            return ConsentOf(number);
        }

        await _writer.SubmitAsync<bool>(batch =>
        {
            var place = batch.Add(LogState.ConsentEntry(NewId(), number, act, Now().UtcTicks));
            batch.NoteConsent(number, act);
            return () =>
            {
                batch.Core.State.AddConsent(batch.Entries[place].Head, batch.Locations[place], batch.Entries[place].Content.Span);
                _withdrawn.Remove(number);
                batch.Core.Audit.Add(person.Value, "consent", string.Create(
                    CultureInfo.InvariantCulture, $"keep {keep}, train {train}, text {textVersion}"));
                return true;
            };
        });
        return ConsentOf(number);
    }

    /// <summary>Offers an answered turn; returns once it is on disk, or says why not. Never throws for a full disk.</summary>
    /// <exception cref="ArgumentException">An id is malformed; that is a mistake of the caller.</exception>
    public async Task<AppendOutcome> AppendAsync(TurnDraft turn, CancellationToken cancellationToken = default)
    {
        DraftRules.Check(turn);
        cancellationToken.ThrowIfCancellationRequested();
        if (_writer.Core is not { } core)
        {
            return AppendOutcome.StoreUnavailable;
        }

        var person = NumberOf(turn.Person);
        if (!ConsentOf(person).Keep)
        {
            return AppendOutcome.NoConsent;
        }

        IReadOnlyList<string> media = [];
        try
        {
            if (AgeClaim.IsBelow(turn.Question, _options.MinimumAge))
            {
                await SwitchOffForAgeAsync(person);
                return AppendOutcome.UnderAge;
            }

            var (content, trainable) = Redacted(turn);
            if (turn.Media.Count > 0)
            {
                media = await Task.Run(() => PutMedia(core, turn.Media), CancellationToken.None);
                content = content with { Media = MediaOf(turn, content, media) };
            }

            var outcome = await WriteTurnAsync(turn, person, content, trainable);
            Release(core, media);
            return outcome;
        }
        catch (Exception failure) when (failure is RegexMatchTimeoutException or ArgumentException)
        {
            LogRedactionFailed(turn.TurnId, failure.GetType().Name);
            return AppendOutcome.RedactionFailed;
        }
        catch (Exception failure) when (failure is LogUnavailableException || StorageFailure.Is(failure))
        {
            Release(core, media);
            return AppendOutcome.StoreUnavailable;
        }
    }

    /// <summary>Records a vote on one's own turn; repeating overwrites. False if there is no such turn of theirs.</summary>
    /// <exception cref="LogUnavailableException">The disk fails.</exception>
    /// <exception cref="ArgumentException">The reason or correction cannot be redacted, hence not stored.</exception>
    public async Task<bool> RateAsync(
        PersonKey person, string turnId, TurnVote vote, string? reason, string? correction,
        CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var owner = NumberOf(person);
        if (!TurnDirectory.TryNumber(turnId, out var turn)
            || Core().State.Turns.Find(turn) is not { } entry || entry.Person != owner)
        {
            return false;
        }

        var conversation = ReadContent(entry)?.ConversationId ?? "";
        VoteContent content;
        try
        {
            var redactor = new Redactor(_secret);
            content = new(
                vote,
                redactor.RedactOptional(reason, conversation).Text,
                redactor.RedactOptional(correction, conversation).Text);
        }
        catch (RegexMatchTimeoutException failure)
        {
            throw new ArgumentException("The text could not be redacted and was not stored; shorten it.", nameof(reason), failure);
        }

        var bytes = JsonSerializer.SerializeToUtf8Bytes(content, LogJson.Plain.VoteContent);
        return await _writer.SubmitAsync<bool>(batch =>
        {
            if (batch.Core.State.Turns.Find(turn) is not { } found || found.Person != owner)
            {
                return () => false;
            }

            var head = new RecordHead(RecordKind.Vote, RecordFlags.None, 0, owner, turn, 0, Now().UtcTicks);
            var place = batch.Add(new(head, bytes));
            return () =>
            {
                if (batch.Core.State.AddVote(head, batch.Locations[place]) is { } stale)
                {
                    batch.Stale.Add(stale);
                }

                _index.SetVote(found.Sequence, vote);
                return true;
            };
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 1)
        {
            return;
        }

        _writer.Stop();
        if (_writer.Core is { } core)
        {
            // The mark of an orderly end goes with the index, after everything that was posted to it.
            _index.Close(core.Manifest.Generation, core.Journal.LastSequence);
        }

        _index.Dispose();
        _messages.Dispose();
        _writer.Dispose();
        _lock?.Dispose();
        _maintenance.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await Task.Run(Dispose);

    private static UInt128 NewId() => TurnDirectory.Number(Guid.NewGuid().ToString("N"));

    private static UInt128 NumberOf(PersonKey person) => TurnDirectory.TryNumber(person.Value ?? "", out var number)
        ? number
        : throw new ArgumentException("A person key has 32 hexadecimal digits; get it from KeyOf.", nameof(person));

    private DateTimeOffset Now() => _time.GetUtcNow();

    private LogCore Core() => _writer.Core
        ?? throw new LogUnavailableException(UnavailableBecause ?? "Turns are not being kept: the log is being opened.");

    private ConsentState ConsentOf(UInt128 person)
    {
        var state = _writer.Core?.State.ConsentOf(person).State ?? ConsentState.None;
        if (_withdrawn.Has(person))
        {
            return state with { Keep = false, Train = false };
        }

        return state.Keep && _options.ConsentTextVersion is { } inForce && inForce != state.TextVersion
            ? state with { Keep = false, Train = false, NeedsRenewal = true }
            : state;
    }

    private LogCore OpenCore(long acknowledgedBefore)
    {
        _lock ??= _files is DiskFileLayer ? LogLock.Take(_folder) : null;
        var firstTime = acknowledgedBefore == long.MaxValue;
        var mark = firstTime ? TurnIndex.ReadMark(_indexFolder) : null;
        var core = LogCore.Open(
            _files, _folder, _options.FullBackupFolder, _time, mark, acknowledgedBefore, _media);
        if (!firstTime)
        {
            core.Probe();
        }

        Volatile.Write(ref _secret, core.Secret);
        _media = core.Media;
        _mark = mark;
        return core;
    }

    private void CoreOpened(LogCore core)
    {
        _index.Open(_mark, core.Manifest.Generation, core.Journal.LastSequence);
        _mark = null;
        foreach (var (person, act) in _withdrawn.All())
        {
            _ = WriteWithdrawalAsync(person, act, "withdrawn while the disk failed").ContinueWith(
                done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
    }

    [LoggerMessage(EventId = 320, Level = LogLevel.Warning, Message = "Turn {TurnId} is not kept: redaction failed with {Failure}.")]
    private partial void LogRedactionFailed(string turnId, string failure);
}
