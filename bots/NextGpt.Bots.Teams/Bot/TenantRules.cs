using NextGpt.Bots.Teams.Activities;
using NextGpt.Host;

namespace NextGpt.Bots.Teams.Bot;

/// <summary>What a tenant's record allows; without one nothing is kept (TEA-4).</summary>
internal sealed class TenantRules(TeamsOptions options, KeptTurns kept, TeamsState state)
{
    /// <summary>The record of the tenant an activity comes from, or null.</summary>
    public TenantRecord? Of(IncomingActivity activity) => options.Tenants.FirstOrDefault(
        tenant => string.Equals(tenant.Id, activity.TenantId, StringComparison.OrdinalIgnoreCase));

    /// <summary>Takes back what a person allowed and their tenant does not, before anything can be kept.</summary>
    public async Task EnforceAsync(IncomingActivity activity, string personId, CancellationToken cancellationToken)
    {
        var allowed = kept.GetConsent(TeamsBot.Surface, personId);
        var record = Of(activity);
        if (allowed.Keep && record is not { Keeping: true })
        {
            await kept.SetConsentAsync(TeamsBot.Surface, personId, keep: false, train: false, cancellationToken);
        }
        else if (allowed.Train && record is not { Training: true })
        {
            await kept.SetConsentAsync(TeamsBot.Surface, personId, keep: true, train: false, cancellationToken);
        }

        if (allowed.Keep && record is { Keeping: true })
        {
            state.AddPerson(personId, activity.TenantId);   // who leaves with the tenant (TEA-5)
        }
    }
}
