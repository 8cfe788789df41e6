namespace NextGpt.Conversations.Index;

/// <summary>
/// Written when the index was closed in order, removed before it is opened: the index is used again only if it is, byte for
/// byte, the file that was closed.
/// </summary>
/// <param name="Generation">Journal generation it was made from.</param>
/// <param name="Sequence">Last record in it.</param>
/// <param name="Bytes">Length of the file.</param>
/// <param name="Sha256">Hash of the file.</param>
internal sealed record IndexMark(int Generation, long Sequence, long Bytes, string Sha256);
