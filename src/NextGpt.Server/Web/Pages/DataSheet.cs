using NextGpt.Conversations;
using NextGpt.Host;
using NextGpt.Server.Web.Rendering;

namespace NextGpt.Server.Web.Pages;

/// <summary>The sheet on which people say what may be kept, take their data with them, or erase it (WEB-5, PRI-2 to 4).</summary>
internal static class DataSheet
{
    /// <param name="consent">What the person has allowed.</param>
    /// <param name="notKeptBecause">Why nothing can be kept now, or null.</param>
    /// <param name="days">How long a kept turn stays.</param>
    public static Html Render(ConsentState consent, string? notKeptBecause, int days)
    {
        var inForce = ConsentText.VersionFor(days);
        var outdated = consent.TextVersion is { } version && version != inForce;
        return Html.Of($"""
            <div class="sheet">
            <header><h2 id="data-title">Your data</h2><button type="button" class="icon" data-act="close" aria-label="Close">{Icons.Close}</button></header>
            <p class="quiet">Both switches are off until you say otherwise. What is not kept stays in memory for an hour at most and is written nowhere.</p>
            {(notKeptBecause is null ? Html.Empty : Html.Of($"""<p class="error">Turns are not being kept: {notKeptBecause}</p>"""))}
            {(outdated ? Html.Of($"""<p class="error">The text below has changed since you agreed; please read it and choose again.</p>""") : Html.Empty)}
            <section aria-label="What may be kept" data-version="{inForce}">
            {Switch("keep", ConsentText.KeepFor(days), consent.Keep && !outdated, disabled: false)}
            {Switch("train", ConsentText.Train, consent.Train && !outdated, disabled: !consent.Keep || outdated)}
            <p class="quiet">Text {inForce}. {Since(consent)}</p>
            <div class="sure" data-sure="keep" hidden><p>Switching this off erases what was kept of you, at once and for good.</p><div class="buttons"><button type="button" class="button" data-act="unsure">Leave it on</button><button type="button" class="button danger" data-act="withdraw">Switch off and erase</button></div></div>
            </section>
            <section aria-label="Take it with you or erase it">
            <h3>Take it with you, or erase it</h3>
            <p class="quiet">The export is a ZIP file with everything that is kept of you. Erasing removes every conversation of yours, kept or not; your account stays.</p>
            <div class="buttons"><a class="button" href="/chat/export" download>Export</a><button type="button" class="button danger" data-act="erase">Erase everything</button></div>
            <div class="sure" data-sure="erase" hidden><p>Every conversation of yours is removed, kept or not. This cannot be undone.</p><div class="buttons"><button type="button" class="button" data-act="unsure">Cancel</button><button type="button" class="button danger" data-act="erase-now">Erase everything</button></div></div>
            </section>
            </div>
            """);
    }

    private static Html Switch(string name, string text, bool on, bool disabled)
    {
        var colon = text.IndexOf(": ", StringComparison.Ordinal);
        var (label, explanation) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 2)..]);
        explanation = explanation.Length > 0 ? char.ToUpperInvariant(explanation[0]) + explanation[1..] : "";
        return Html.Of($"""
            <label class="switch"><b id="{name}-label">{label}</b><input type="checkbox" role="switch" name="{name}" aria-labelledby="{name}-label" aria-describedby="{name}-text"{(on ? Html.Of($" checked") : Html.Empty)}{(disabled ? Html.Of($" disabled") : Html.Empty)}><span class="quiet" id="{name}-text">{explanation}</span></label>
            """);
    }

    private static string Since(ConsentState consent) => consent.Since is { } since
        ? string.Create(
            System.Globalization.CultureInfo.InvariantCulture, $"You last chose on {since.UtcDateTime:d MMMM yyyy, HH:mm} UTC.")
        : "You have not chosen yet.";
}
