namespace NextGpt.Conversations.Tests;

/// <summary>
/// The durability tests run short in CI. Their long form (200 kills, 10,000 mutated journals, 500 power losses) runs with
/// the environment variable NEXTGPT_DURABILITY=long.
/// </summary>
internal static class LongForm
{
    public static bool Requested { get; } =
        Environment.GetEnvironmentVariable("NEXTGPT_DURABILITY") is "long";
}
