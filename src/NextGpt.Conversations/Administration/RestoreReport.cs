namespace NextGpt.Conversations;

/// <summary>What a restore did.</summary>
/// <param name="Sequence">Last record of the backup.</param>
/// <param name="Turns">Kept turns afterwards.</param>
/// <param name="Reapplied">Erasures, removals and withdrawals made after the backup that were applied again.</param>
/// <param name="TurnsErasedAgain">Turns these took out of the backup.</param>
public sealed record RestoreReport(long Sequence, int Turns, int Reapplied, int TurnsErasedAgain);
