using System.Globalization;
using System.Text.Json;
using NextGpt.Media;
using NextGpt.Model.Packages;
using NextGpt.Model.Weights;

namespace NextGpt.Model.Conversion;

/// <summary>Makes a model package of published checkpoints; downloads nothing, runs nothing of what it reads.</summary>
/// <remarks>
/// The package appears whole or not at all: it is written beside its place, checked against the networks that will load it,
/// and moved there.
/// </remarks>
public static class ModelConverter
{
    private const string LanguageFolder = "language";
    private const string EncoderFolder = "encoder";

    /// <summary>Says what a conversion would make, and writes nothing.</summary>
    /// <inheritdoc cref="Convert" path="/exception"/>
    public static ConversionReport Plan(ConversionRequest request)
    {
        using var plan = Planned.Of(request);
        return plan.Report;
    }

    /// <summary>Converts.</summary>
    /// <param name="request">From what, to where.</param>
    /// <param name="progress">Gets the share of the bytes.</param>
    /// <param name="cancellationToken">Looked at between blocks; what was written is removed.</param>
    /// <exception cref="InvalidDataException">A source is not usable, does not fit the others, or its terms are not stated.</exception>
    /// <exception cref="IOException">The target exists, a source is missing, or the disk refused.</exception>
    public static ConversionReport Convert(
        ConversionRequest request, IProgress<ConversionProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using var plan = Planned.Of(request);
        var target = plan.Report.Folder;
        CheckRoom(target, plan.Report.SizeBytes);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var temporary = $"{target}.{Path.GetRandomFileName()}.part";
        try
        {
            var watch = new ConversionWatch(plan.Report.SizeBytes, progress, cancellationToken);
            foreach (var file in plan.Files)
            {
                watch.Begin(file.Path);
                var place = Path.Combine(temporary, file.Path);
                Directory.CreateDirectory(Path.GetDirectoryName(place)!);
                file.Write(place, watch);
            }

            var package = ModelPackage.Save(
                temporary, plan.Manifest, new Hashing(progress), cancellationToken);
            List<string> problems = [.. PackageShapes.Problems(package, cancellationToken)];
            if (problems.Count > 0)
            {
                throw new InvalidDataException($"The parts do not fit. {string.Join(' ', problems.Take(8))}");
            }

            Directory.Move(temporary, target);
            return plan.Report;
        }
        finally
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
        }
    }

    private static void CheckRoom(string target, long needed)
    {
        var place = target;
        while (!Directory.Exists(place) && Path.GetDirectoryName(place) is { } above)
        {
            place = above;
        }

        if (new DriveInfo(place).AvailableFreeSpace is var free && free < needed)
        {
            throw new IOException(string.Create(
                CultureInfo.InvariantCulture,
                $"The package needs {needed / 1e9:0.0} GB and the disk of {target} has {free / 1e9:0.0} GB free; choose another with --to."));
        }
    }

    private sealed class Hashing(IProgress<ConversionProgress>? progress) : IProgress<double>
    {
        public void Report(double value) => progress?.Report(new ConversionProgress("SHA-256", value));
    }

    /// <summary>Everything that will be written, with the sources open.</summary>
    private sealed class Planned : IDisposable
    {
        private readonly ConversionSources _sources;
        private readonly List<IStoredTensors> _opened = [];
        private readonly List<string> _notes = [];
        private readonly List<string> _unstated = [];
        private readonly Dictionary<string, string> _parts = new(StringComparer.Ordinal);
        private readonly List<PackageLicence> _licences = [];
        private readonly ConversionRequest _request;

        private Planned(ConversionRequest request)
        {
            _request = request;
            Target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(request.Target));
            if (Path.Exists(Target))
            {
                throw new IOException($"{Target} exists; a package is written to a new folder. Choose another with --to.");
            }

            _sources = ConversionSources.Open(request.Sources);
            try
            {
                (Manifest, Files) = Lay();
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public PackageManifest Manifest { get; }

        public IReadOnlyList<PlannedFile> Files { get; }

        public ConversionReport Report => new(Target, Files.Sum(file => file.SizeBytes), _parts, _notes);

        private string Target { get; }

        public static Planned Of(ConversionRequest request)
        {
            ArgumentNullException.ThrowIfNull(request);
            return new Planned(request);
        }

        public void Dispose()
        {
            _opened.ForEach(source => source.Dispose());
            _sources.Dispose();
        }

        private (PackageManifest Manifest, IReadOnlyList<PlannedFile> Files) Lay()
        {
            if (_sources.Language is not { } language)
            {
                throw new InvalidDataException(
                    "No source is a language model; a package needs one (a folder in Hugging Face layout, or a GGUF file).");
            }

            var config = LanguagePlan.ConfigOf(_sources);
            List<PlannedFile> files = [.. LanguagePlan.Files(_sources, LanguageFolder)];
            Part(ConversionParts.Language, language, LanguageFolder);
            var plan = _sources.Delta is { } delta ? new DeltaPlan(delta, _sources, config, _notes) : null;
            var input = plan?.Input(
                _sources.Encoder is null ? null : EncoderFolder, _sources.Encoder is { } tensors ? KindsOf(tensors) : []);
            if (input is not null)
            {
                files.AddRange(EncoderPlan.Files(_sources.Encoder!, _sources.EncoderPath!, EncoderFolder, _notes));
                Part(ConversionParts.Encoder, _sources.EncoderPath!, EncoderFolder);
            }

            var outputs = plan?.Outputs(_sources.Decoders.ToDictionary(pair => pair.Key, pair => Name(pair.Key))) ?? [];
            foreach (var (kind, path) in _sources.Decoders.OrderBy(pair => pair.Key))
            {
                if (outputs.All(output => output.Kind != kind))
                {
                    _notes.Add($"No source has the projection for {path}: the decoder is left out.");
                    continue;
                }

                files.AddRange(DecoderPlan.Files(path, Name(kind), _opened, _notes));
                Part(Name(kind), path, Name(kind));
            }

            var tokens = plan?.Tokens();
            var adapter = plan?.Adapter(_request.LoraAlpha);
            if (plan is not null)
            {
                files.AddRange(plan.Files);
                if (plan.Files.Count > 0)
                {
                    Part(ConversionParts.NextGpt, string.Join(", ", _sources.DeltaPaths), "nextgpt");
                }

                _notes.AddRange(_sources.Delta!.Replaced.Select(replaced => $"Replaced: {replaced}."));
            }

            if (_unstated.Count > 0)
            {
                throw new InvalidDataException($"{string.Join(' ', _unstated)} Look at the page where each was downloaded.");
            }

            return (new PackageManifest
            {
                Id = _request.Id ?? Path.GetFileName(Target),
                Language = new Packages.LanguagePart
                {
                    Path = File.Exists(language) ? $"{LanguageFolder}/{Path.GetFileName(language)}" : LanguageFolder,
                    Adapter = adapter,
                    Template = _sources.Delta is { } own ? own.IsV0 ? "vicuna-v0" : "vicuna-v1.1" : null,
                },
                Tokens = tokens,
                Input = input,
                Outputs = outputs,
                Licences = _licences,
                Provenance = JsonSerializer.SerializeToElement(
                    _parts.ToDictionary(part => part.Key, part => Path.GetFileName(Path.TrimEndingDirectorySeparator(part.Value)))),
            }, files);
        }

        private static string Name(MediaKind kind) => kind.ToString().ToLowerInvariant();

        private static MediaKind[] KindsOf(IStoredTensors encoder)
        {
            bool Has(string tower) => encoder.Tensors.Keys.Any(name => name.Contains($"modality_trunks.{tower}.", StringComparison.Ordinal));
            return
            [
                .. Has("vision") ? [MediaKind.Image] : Array.Empty<MediaKind>(),
                .. Has("audio") ? [MediaKind.Audio] : Array.Empty<MediaKind>(),
                .. Has("vision") ? [MediaKind.Video] : Array.Empty<MediaKind>(),
            ];
        }

        /// <summary>Notes a part with its terms, which must have been stated.</summary>
        private void Part(string part, string source, string folder)
        {
            _parts.Add(part, source);
            if (!_request.Licences.TryGetValue(part, out var licence) || string.IsNullOrWhiteSpace(licence))
            {
                _unstated.Add(
                    $"Under which terms {source} may be used is not stated; say --licence {part}=SPDX. Known: "
                    + $"{ConversionParts.KnownTerms(part)}.");
                return;
            }

            _licences.Add(new PackageLicence([folder], licence, Path.GetFileName(Path.TrimEndingDirectorySeparator(source))));
        }
    }
}
