namespace NextGpt.Conversations;

/// <summary>Topics of a turn that keep it from training (PRI-7); it is kept all the same.</summary>
[Flags]
public enum SensitiveTopics
{
    /// <summary>None found.</summary>
    None = 0,

    /// <summary>Somebody's health.</summary>
    Health = 1,

    /// <summary>Somebody's money.</summary>
    Finance = 2,

    /// <summary>Religion, world view or politics.</summary>
    Belief = 4,

    /// <summary>Sex life or orientation.</summary>
    SexLife = 8,
}
