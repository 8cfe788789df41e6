using System.Globalization;
using NextGpt.Host;
using NextGpt.Server.Commands;

namespace NextGpt.Server.Terminal;

/// <summary>A person's say at the console over what is kept of them: allow, export, erase (PRI-2 to PRI-4).</summary>
internal sealed class OwnData(IChatPartner partner, ConsoleScreen screen, TimeProvider time)
{
    /// <summary>Allows keeping after asking, or stops it.</summary>
    public async Task KeepAsync(string rest, CancellationToken cancellationToken)
    {
        if (rest.Equals("off", StringComparison.OrdinalIgnoreCase))
        {
            await partner.SetConsentAsync(keep: false, train: false, cancellationToken);
            screen.Dim("Nothing is kept any more; what was kept is erased.");
            return;
        }

        var (consent, because) = await partner.GetConsentAsync(cancellationToken);
        var keep = screen.Confirm(await partner.GetKeepTextAsync(cancellationToken));
        var train = keep && screen.Confirm(ConsentText.Train);
        if (keep || consent.Keep)
        {
            await partner.SetConsentAsync(keep, train, cancellationToken);
        }

        screen.Dim(keep
            ? because is null
                ? $"From now on this is kept{(train ? " and may improve the model" : "")}."
                : $"Noted, but nothing is being kept now: {because}"
            : "Nothing is kept.");
    }

    /// <summary>Erases everything after asking; whether it was done.</summary>
    public async Task<bool> ForgetAsync(CancellationToken cancellationToken)
    {
        if (!screen.Confirm("Erase everything that is kept of you?"))
        {
            screen.Dim("Nothing was erased.");
            return false;
        }

        try
        {
            var removed = await partner.EraseAsync(cancellationToken);
            screen.Dim($"{removed} kept turns were erased.");
            return true;
        }
        catch (Exception refused) when (refused is InvalidOperationException or CommandFailure)
        {
            screen.Dim(refused.Message);
            return false;
        }
    }

    /// <summary>Writes everything that is kept to a ZIP file that is not there yet.</summary>
    public async Task ExportAsync(string rest, CancellationToken cancellationToken)
    {
        var path = rest.Length > 0 ? rest : string.Create(
            CultureInfo.InvariantCulture, $"nextgpt-export-{time.GetUtcNow():yyyyMMdd-HHmmss}.zip");
        if (File.Exists(path))
        {
            screen.Dim($"{path} is there already; nothing is overwritten, name another file.");
            return;
        }

        try
        {
            using var buffer = new MemoryStream();
            await partner.ExportAsync(buffer, cancellationToken);
            await File.WriteAllBytesAsync(path, buffer.ToArray(), cancellationToken);
            screen.Dim($"Written to {path}.");
        }
        catch (Exception refused) when (refused is InvalidOperationException or CommandFailure or IOException
            or UnauthorizedAccessException)
        {
            screen.Dim(refused.Message);
        }
    }
}
