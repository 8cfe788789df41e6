namespace NextGpt.Bots.Discord.Gateway;

/// <summary>What a frame of the gateway is; numbers as documented for version 10.</summary>
internal enum GatewayOpcode
{
    Dispatch = 0,
    Heartbeat = 1,
    Identify = 2,
    Resume = 6,
    Reconnect = 7,
    InvalidSession = 9,
    Hello = 10,
    HeartbeatAcknowledged = 11,
}
