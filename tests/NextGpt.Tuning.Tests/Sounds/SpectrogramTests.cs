using NextGpt.Model.Decoders.AudioLdm;
using NextGpt.Tuning.Sounds;
using static TorchSharp.torch;

namespace NextGpt.Tuning.Tests.Sounds;

public sealed class SpectrogramTests
{
    [Fact]
    public void A_tone_lights_the_band_around_its_pitch_in_every_frame()
    {
        using var scope = NewDisposeScope();
        using var mel = new MelSpectrogram(CPU);

        var bands = mel.Of(Tone(1_000, 0.5f, 16_000));

        Assert.Equal([1, 100, 64], bands.shape);
        // Slaney's scale has 15 steps to 1,000 Hz and 45.2 to 8,000 Hz: 1,000 Hz lies at 15 / 45.245 * 65 = 21.5 edges, between bands 20 and 21.
        Assert.All(bands.argmax(2).flatten().data<long>().ToArray(), band => Assert.InRange(band, 20, 21));
    }

    [Fact]
    public void Bands_of_equal_power_noise_and_of_silence_are_what_they_are_computed_to_be()
    {
        using var scope = NewDisposeScope();
        using var mel = new MelSpectrogram(CPU);

        Assert.All(mel.Of(zeros(1, 3_200)).flatten().data<float>().ToArray(), band => Assert.Equal(MelSpectrogram.Silence, band, 3));

        // A triangle of Slaney has the area 1 over hertz, so that it holds 1 / 15.625 of an even spectrum.
        var areas = mel.Bands.sum(1).data<float>().ToArray();
        Assert.All(areas, area => Assert.InRange(area, 0.97f / 15.625f, 1.03f / 15.625f));
    }

    [Fact]
    public void Ten_times_the_amplitude_is_a_logarithm_of_ten_more_in_every_heard_band()
    {
        using var scope = NewDisposeScope();
        using var mel = new MelSpectrogram(CPU);
        var sound = Noise(16_000);

        var gap = (mel.Of(sound) - mel.Of(sound / 10)).data<float>().ToArray();

        Assert.All(gap, difference => Assert.Equal(Math.Log(10), difference, 0.01));
    }

    [Fact]
    public void Errors_where_nothing_is_heard_count_only_from_the_threshold_on()
    {
        using var scope = NewDisposeScope();
        var quiet = MelSpectrogram.Silence;

        var error = MelSpectrogram.AudibleError(tensor(new[] { quiet, -12f, -5f, -20f }), tensor(new[] { quiet, quiet, quiet, -3f }));

        var values = error.data<float>().ToArray();
        Assert.Equal(0, values[0]);
        Assert.Equal(0, values[1]);
        Assert.Equal(-5 - MelSpectrogram.Inaudible, values[2], 4);
        Assert.Equal(-17, values[3], 4);   // and it has a gradient there, unlike a difference of clamped values
    }

    [Fact]
    public void Griffin_Lim_comes_nearer_to_the_sound_the_longer_it_works()
    {
        using var scope = NewDisposeScope();
        using var mel = new MelSpectrogram(CPU);
        using var distance = new SpectralDistance(CPU);
        var sound = Tone(440, 0.3f, 8_000) + Tone(660, 0.2f, 8_000);
        var bands = mel.Of(sound);

        var hasty = GriffinLim.Sound(mel, bands, 1);
        var longer = GriffinLim.Sound(mel, bands, 40);

        Assert.Equal(sound.shape, longer.shape);
        var (rough, fine) = (distance.Of(hasty, sound).item<float>(), distance.Of(longer, sound).item<float>());
        Assert.True(fine < 0.9f * rough, $"{rough:0.000} after one round, {fine:0.000} after forty.");
        Assert.True((mel.Of(longer) - bands).abs().mean().item<float>() < 1);
    }

    [Fact]
    public void Griffin_Lim_that_begins_with_the_true_phases_is_nearer_than_one_that_begins_with_none()
    {
        using var scope = NewDisposeScope();
        using var mel = new MelSpectrogram(CPU);
        using var distance = new SpectralDistance(CPU);
        var sound = Noise(8_000) * 0.2 + Tone(700, 0.3f, 8_000);
        var bands = mel.Of(sound);

        var led = distance.Of(GriffinLim.Sound(mel, bands, 5, sound), sound).item<float>();
        var alone = distance.Of(GriffinLim.Sound(mel, bands, 5), sound).item<float>();

        Assert.True(led < alone, $"{led:0.000} with the true phases, {alone:0.000} without.");
    }

    [Fact]
    public void The_distance_is_zero_for_the_same_sound_blind_to_its_sign_and_grows_with_the_change()
    {
        using var scope = NewDisposeScope();
        using var distance = new SpectralDistance(CPU);
        var sound = Noise(8_000);

        Assert.Equal(0, distance.Of(sound, sound).item<float>(), 5);
        Assert.Equal(0, distance.Of(-sound, sound).item<float>(), 5);
        var (little, much) = (distance.Of(sound * 0.9, sound).item<float>(), distance.Of(sound * 0.3, sound).item<float>());
        Assert.InRange(little, 0.1f, 0.3f);   // a tenth of the magnitudes and ln 0.9
        Assert.True(much > 2 * little);
    }

    private static Tensor Tone(double hertz, float amplitude, int samples) =>
        (arange(samples) * (2 * Math.PI * hertz / MelSpectrogram.SampleRateHz)).sin().unsqueeze(0) * amplitude;

    private static Tensor Noise(int samples)
    {
        var random = new Random(4);
        return tensor(Enumerable.Range(0, samples).Select(_ => (float)((random.NextDouble() * 2) - 1) * 0.5f).ToArray(), [1, samples]);
    }
}
