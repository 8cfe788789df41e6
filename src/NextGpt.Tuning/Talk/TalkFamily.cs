namespace NextGpt.Tuning.Talk;

/// <summary>A kind of everyday question that is made by the thousand from facts and wordings.</summary>
/// <param name="Name">For example <c>sum</c>.</param>
/// <param name="Make">Makes one.</param>
internal sealed record TalkFamily(string Name, Func<TalkDraw, TalkTurn> Make)
{
    /// <summary>All families that need no conversation before them.</summary>
    internal static IReadOnlyList<TalkFamily> All { get; } =
        [.. SocialTalk.Families, .. NumberTalk.Families, .. CalendarTalk.Families, .. WordTalk.Families, .. FactTalk.Families];
}
