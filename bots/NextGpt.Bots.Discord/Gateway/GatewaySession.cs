namespace NextGpt.Bots.Discord.Gateway;

/// <summary>What is needed to take up a session again.</summary>
/// <param name="Id">Of READY.</param>
/// <param name="ResumeAddress">Of READY.</param>
internal sealed record GatewaySession(string Id, Uri ResumeAddress);

/// <summary>What <c>GET /gateway/bot</c> says.</summary>
/// <param name="Address">Where to connect.</param>
/// <param name="Shards">How many connections Discord recommends.</param>
/// <param name="Starts">How many sessions may be started.</param>
internal sealed record GatewayAddress(Uri Address, int Shards, SessionStarts Starts);

/// <summary>How many sessions may be started; a thousand in a day cost the bot its token.</summary>
/// <param name="Total">In 24 hours.</param>
/// <param name="Remaining">Left now.</param>
/// <param name="ResetAfter">Until there are <paramref name="Total"/> again.</param>
/// <param name="MaxConcurrency">At once, per window.</param>
internal sealed record SessionStarts(int Total, int Remaining, TimeSpan ResetAfter, int MaxConcurrency);
