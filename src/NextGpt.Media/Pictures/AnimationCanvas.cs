namespace NextGpt.Media.Pictures;

/// <summary>The surface on which the frames of a GIF or WebP are laid over one another.</summary>
/// <param name="width">Columns.</param>
/// <param name="height">Rows.</param>
internal sealed class AnimationCanvas(int width, int height)
{
    private readonly byte[] _pixels = new byte[checked(4 * width * height)];   // red, green, blue, alpha; transparent
    private byte[]? _before;

    /// <summary>Draws one frame.</summary>
    /// <param name="frame">Its place.</param>
    /// <param name="pixels">Red, green, blue, alpha of each pixel; frame width · frame height · 4.</param>
    public void Draw(AnimationFrame frame, ReadOnlySpan<byte> pixels)
    {
        if (frame.Disposal == Disposal.Restore)
        {
            _before ??= new byte[_pixels.Length];
            _pixels.CopyTo(_before, 0);
        }

        var (columns, rows) = Visible(frame);
        for (var y = 0; y < rows; y++)
        {
            var from = pixels.Slice(4 * y * frame.Width, 4 * columns);
            var to = _pixels.AsSpan(4 * (((frame.Top + y) * width) + frame.Left), 4 * columns);
            if (frame.Blends)
            {
                Blend(from, to);
            }
            else
            {
                from.CopyTo(to);
            }
        }
    }

    /// <summary>Does what a frame asked for when its time is over.</summary>
    public void Dispose(AnimationFrame frame)
    {
        if (frame.Disposal == Disposal.Restore && _before is not null)
        {
            _before.CopyTo(_pixels, 0);
            return;
        }

        if (frame.Disposal != Disposal.Clear)
        {
            return;
        }

        var (columns, rows) = Visible(frame);
        for (var y = 0; y < rows; y++)
        {
            _pixels.AsSpan(4 * (((frame.Top + y) * width) + frame.Left), 4 * columns).Clear();
        }
    }

    /// <summary>What is seen now, on white: red, green, blue of each pixel.</summary>
    public byte[] OnWhite()
    {
        var seen = new byte[width * height * 3];
        for (int from = 0, to = 0; from < _pixels.Length; from += 4, to += 3)
        {
            int alpha = _pixels[from + 3];
            for (var channel = 0; channel < 3; channel++)
            {
                seen[to + channel] = (byte)(((_pixels[from + channel] * alpha) + (255 * (255 - alpha)) + 127) / 255);
            }
        }

        return seen;
    }

    private (int Columns, int Rows) Visible(AnimationFrame frame) =>
        (Math.Clamp(width - frame.Left, 0, frame.Width), frame.Left >= width ? 0 : Math.Clamp(height - frame.Top, 0, frame.Height));

    // "Over" of Porter and Duff, straight alpha, as RFC 9649 section 2.7.1.2 gives it.
    private static void Blend(ReadOnlySpan<byte> from, Span<byte> to)
    {
        for (var i = 0; i < from.Length; i += 4)
        {
            int above = from[i + 3];
            if (above == 255)
            {
                from.Slice(i, 4).CopyTo(to[i..]);
            }
            else if (above > 0)
            {
                var below = to[i + 3] * (255 - above);           // 0 to 255²
                var alpha = (above * 255) + below;               // scaled by 255
                for (var channel = 0; channel < 3; channel++)
                {
                    to[i + channel] = (byte)(((from[i + channel] * above * 255) + (to[i + channel] * below) + (alpha / 2)) / alpha);
                }

                to[i + 3] = (byte)((alpha + 127) / 255);
            }
        }
    }
}
