using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using NextGpt.Server.Settings;

namespace NextGpt.Server.Web.Accounts;

/// <summary>What came of opening a one-time link.</summary>
internal enum InvitationState
{
    /// <summary>It may be used.</summary>
    Open,

    /// <summary>No such link was made, or what it was for is gone.</summary>
    Unknown,

    /// <summary>Somebody has used it.</summary>
    Used,

    /// <summary>It was not used in time.</summary>
    Expired,
}

/// <summary>A wish about accounts that cannot be granted; the message is a sentence for the person.</summary>
internal sealed class AccountRefusedException(string message) : Exception(message);

/// <summary>
/// Who may use the web page (WEB-7): a small file, mode 0600, replaced whole. Links and passwords are stored as hashes.
/// Thread-safe; one process.
/// </summary>
internal sealed class AccountStore
{
    public const int ShortestPassword = 10;
    public const int LongestPassword = 200;
    public const int LongestName = 40;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    private readonly Lock _gate = new();
    private readonly PasswordHasher<Account> _hasher = new();
    private readonly TimeProvider _time;
    private readonly WebOptions _options;
    private readonly string _path;
    private readonly Lazy<string> _hashOfNobody;
    private AccountBook _book;

    /// <summary>Opens the file, or starts with nobody.</summary>
    /// <exception cref="InvalidOperationException">The file is damaged or open to others, with what to do.</exception>
    public AccountStore(IOptions<WebOptions> options, IOptions<DataOptions> data, TimeProvider time)
    {
        _time = time;
        _options = options.Value;
        var folder = Path.Combine(data.Value.Folder, "web");
        _path = Path.Combine(folder, "accounts.json");
        if (OwnerOnlyFile.Complaint(_path) is { } complaint)
        {
            throw new InvalidOperationException($"The web page's accounts are not safe: {complaint}");
        }

        _book = Load(_path);
        _hashOfNobody = new(() => _hasher.HashPassword(NewAccount("nobody", isAdmin: false), NewSecret()));
    }

    /// <summary>Everybody, by name.</summary>
    public IReadOnlyList<Account> Accounts
    {
        get
        {
            lock (_gate)
            {
                return [.. _book.Accounts.OrderBy(account => account.Name, StringComparer.OrdinalIgnoreCase)];
            }
        }
    }

    /// <summary>The account with this id, or null.</summary>
    public Account? Find(string? id)
    {
        lock (_gate)
        {
            return _book.Accounts.FirstOrDefault(account => account.Id == id);
        }
    }

    /// <summary>Makes a one-time link and returns its secret, which is not stored.</summary>
    /// <param name="isAdmin">Whether the new account may invite others.</param>
    /// <param name="accountId">The account that gets a new password, or null for a new account.</param>
    public string Invite(bool isAdmin, string? accountId = null)
    {
        var secret = NewSecret();
        var now = _time.GetUtcNow();
        lock (_gate)
        {
            if (accountId is not null && _book.Accounts.All(account => account.Id != accountId))
            {
                throw new AccountRefusedException("There is no such account any more; reload the page.");
            }

            var invitation = new Invitation
            {
                SecretHash = HashOf(secret),
                IsAdmin = isAdmin,
                AccountId = accountId,
                ExpiresAt = now + _options.InvitationLifetime,
            };

            // Used and expired links are remembered for a month, so that opening one gets its own sentence.
            var remembered = _book.Invitations.Where(other => other.ExpiresAt > now.AddDays(-30)
                && (accountId is null || other.AccountId != accountId || other.UsedAt is not null));
            Save(_book with { Invitations = [.. remembered, invitation] });
        }

        return secret;
    }

    /// <summary>
    /// The secret of the first link, for a server nobody has an account on; null once somebody has. Earlier first links
    /// that were not used stop working.
    /// </summary>
    public string? InviteFirst()
    {
        lock (_gate)
        {
            if (_book.Accounts.Count > 0)
            {
                return null;
            }

            Save(_book with { Invitations = [.. _book.Invitations.Where(other => other.UsedAt is not null)] });
            return Invite(isAdmin: true);
        }
    }

    /// <summary>What can be done with a link, without using it.</summary>
    public (InvitationState State, Account? For) Look(string secret)
    {
        lock (_gate)
        {
            var (state, invitation) = Judge(secret);
            return (state, invitation?.AccountId is { } id ? Find(id) : null);
        }
    }

    /// <summary>Uses a link: makes the account, or sets the password of the one it is for.</summary>
    /// <exception cref="AccountRefusedException">The link, name or password will not do.</exception>
    public Account Accept(string secret, string? name, string? password)
    {
        CheckPassword(password);
        lock (_gate)
        {
            var (state, invitation) = Judge(secret);
            if (state != InvitationState.Open || invitation is null)
            {
                throw new AccountRefusedException(SentenceFor(state));
            }

            var renewed = _book.Accounts.FirstOrDefault(account => account.Id == invitation.AccountId);
            var account = renewed ?? NewAccount(CheckName(name), invitation.IsAdmin);
            account = WithPassword(account, password);
            var used = invitation with { UsedAt = _time.GetUtcNow() };
            Save(_book with
            {
                Accounts = [.. _book.Accounts.Where(other => other.Id != account.Id), account],
                Invitations = [.. _book.Invitations.Where(other => other.SecretHash != invitation.SecretHash), used],
            });
            return account;
        }
    }

    /// <summary>The account with this name and password, or null; takes as long for a name nobody has.</summary>
    public Account? SignIn(string? name, string? password)
    {
        if (password is null || password.Length > LongestPassword)
        {
            return null;
        }

        var wanted = (name ?? "").Trim().Normalize();
        Account? account;
        lock (_gate)
        {
            account = _book.Accounts.FirstOrDefault(
                other => other.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase));
        }

        var subject = account ?? NewAccount("nobody", isAdmin: false);
        var result = _hasher.VerifyHashedPassword(subject, account?.PasswordHash ?? _hashOfNobody.Value, password);
        return result == PasswordVerificationResult.Failed ? null : account;
    }

    /// <summary>Sets a new password; every session of the account ends.</summary>
    /// <exception cref="AccountRefusedException">The old password is wrong or the new one will not do.</exception>
    public Account ChangePassword(string id, string? oldPassword, string? newPassword)
    {
        var account = Find(id) ?? throw new AccountRefusedException("There is no such account any more.");
        if (SignIn(account.Name, oldPassword) is null)
        {
            throw new AccountRefusedException("The present password is not right; nothing was changed.");
        }

        CheckPassword(newPassword);
        lock (_gate)
        {
            account = WithPassword(account, newPassword);
            Save(_book with { Accounts = [.. _book.Accounts.Where(other => other.Id != id), account] });
            return account;
        }
    }

    /// <summary>Removes an account; its sessions end with the next request.</summary>
    /// <exception cref="AccountRefusedException">It is the last admin's.</exception>
    public void Remove(string id)
    {
        lock (_gate)
        {
            var rest = _book.Accounts.Where(account => account.Id != id).ToList();
            if (!rest.Exists(account => account.IsAdmin))
            {
                throw new AccountRefusedException("This is the last account that may invite others; it stays.");
            }

            Save(_book with
            {
                Accounts = rest,
                Invitations = [.. _book.Invitations.Where(invitation => invitation.AccountId != id)],
            });
        }
    }

    /// <summary>What to say about a link that cannot be used.</summary>
    public static string SentenceFor(InvitationState state) => state switch
    {
        InvitationState.Used =>
            "This link has been used; sign in with the name and password chosen then, or ask for a new link.",
        InvitationState.Expired =>
            "This link has expired; ask for a new one. The first link of a new server is printed again when it is restarted.",
        _ => "This link is not known here; open it exactly as it was given, or ask for a new one.",
    };

    private (InvitationState State, Invitation? Invitation) Judge(string secret)
    {
        var hash = HashOf(secret);
        var invitation = _book.Invitations.FirstOrDefault(other => other.SecretHash == hash);
        var state = invitation switch
        {
            null => InvitationState.Unknown,
            { UsedAt: not null } => InvitationState.Used,
            _ when invitation.ExpiresAt <= _time.GetUtcNow() => InvitationState.Expired,
            { AccountId: { } id } when Find(id) is null => InvitationState.Unknown,
            _ => InvitationState.Open,
        };
        return (state, invitation);
    }

    private string CheckName(string? name)
    {
        var wanted = (name ?? "").Trim().Normalize();
        if (wanted.Length is 0 or > LongestName || wanted.Any(char.IsControl))
        {
            throw new AccountRefusedException($"A name has 1 to {LongestName} characters on one line; choose another.");
        }

        if (_book.Accounts.Any(account => account.Name.Equals(wanted, StringComparison.OrdinalIgnoreCase)))
        {
            throw new AccountRefusedException("Somebody here has this name already; choose another.");
        }

        return wanted;
    }

    private static void CheckPassword(string? password)
    {
        if (password is null || password.Length is < ShortestPassword or > LongestPassword)
        {
            throw new AccountRefusedException(
                $"The password has {password?.Length ?? 0} characters; it needs {ShortestPassword} to {LongestPassword}. "
                + "Several words in a row are easy to remember.");
        }
    }

    private Account NewAccount(string name, bool isAdmin) => new()
    {
        Id = Guid.NewGuid().ToString("N"),
        Name = name,
        PasswordHash = "",
        IsAdmin = isAdmin,
        Stamp = "",
        CreatedAt = _time.GetUtcNow(),
    };

    private Account WithPassword(Account account, string? password) => account with
    {
        PasswordHash = _hasher.HashPassword(account, password ?? ""),
        Stamp = NewSecret(),
    };

    private void Save(AccountBook book)
    {
        PrivateFile.Write(_path, JsonSerializer.SerializeToUtf8Bytes(book, Json));
        _book = book;
    }

    private static AccountBook Load(string path)
    {
        if (!File.Exists(path))
        {
            return new AccountBook();
        }

        try
        {
            var book = JsonSerializer.Deserialize<AccountBook>(File.ReadAllBytes(path), Json);
            return book is { Version: 1 } ? book : throw new JsonException("its version is not 1");
        }
        catch (JsonException failure)
        {
            throw new InvalidOperationException(
                $"The account file {Path.GetFileName(path)} cannot be read ({failure.Message.ReplaceLineEndings(" ")}); "
                + "restore it from a backup, or move it away to start with nobody.",
                failure);
        }
    }

    private static string NewSecret() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    private static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
