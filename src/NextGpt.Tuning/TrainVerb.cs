using System.Diagnostics;
using System.Globalization;
using NextGpt.Model;
using NextGpt.Tuning.Clips;
using NextGpt.Tuning.Contrastive;
using NextGpt.Tuning.Data;
using NextGpt.Tuning.Enlarging;
using NextGpt.Tuning.Optimisation;
using NextGpt.Tuning.Pictures;
using static TorchSharp.torch;

namespace NextGpt.Tuning;

/// <summary><c>nextgpt train STAGE</c>: trains a part of the embedded model. Reads its own arguments, so that any host can call it.</summary>
public static class TrainVerb
{
    /// <summary>What the verb can do, for a person.</summary>
    public const string Help = """
        nextgpt train pack                 --world FOLDER --atlas FILE
        nextgpt train picture-autoencoder  --atlas FILE --out FOLDER [--steps N | --minutes N]
        nextgpt train pictures             --atlas FILE --autoencoder FOLDER --out FOLDER [--steps N | --minutes N]
        nextgpt train sound-autoencoder    --world FOLDER --out FOLDER [--steps N | --minutes N]
        nextgpt train vocoder              --world FOLDER --out FOLDER [--autoencoder FOLDER] [--steps N | --minutes N]
        nextgpt train sounds               --world FOLDER --autoencoder FOLDER --vocoder FOLDER --out FOLDER [--steps N | --minutes N]
        nextgpt train encoder              --world FOLDER --out FOLDER [--atlas FILE] [--styles A,B] [--steps N | --minutes N]
        nextgpt train clips                --world FOLDER --autoencoder FOLDER --pictures FOLDER --out FOLDER [--count N] [--steps N | --minutes N]
        nextgpt train enlarger             --world FOLDER --autoencoder FOLDER --out FOLDER [--count N] [--steps N | --minutes N]
                                           the world's drawings in 256 pixels: node build.mjs raw FOLDER 256
        nextgpt train talk-open            --open FILE [--count N]: the untouched model's answers to open requests
        nextgpt train talk                 --out FOLDER [--open FILE] [--steps N | --minutes N]
        nextgpt train talk-exam            [--adapter FOLDER] [--count N]
        nextgpt train align-input          --world FOLDER --encoder FOLDER --out FOLDER [--from FOLDER]
        nextgpt train align-output         --world FOLDER --picture-decoder FOLDER ... --out FOLDER [--from FOLDER]
        nextgpt train instruct             --world FOLDER --encoder FOLDER --picture-decoder FOLDER ... --from FOLDER --out FOLDER [--open FILE]
        nextgpt train package              --from FOLDER [--encoder FOLDER] [--picture-decoder FOLDER] ... --out FOLDER

        --device cpu|cuda:N   where to train (default: cpu)
        --precision f32|bf16  type of the weights while training (default: f32; bf16 only on a GPU)
        --batch N             samples per step (default: 32 for the autoencoder, 64 for pictures, 16 for talk;
                              8 for the sounds' autoencoder and the vocoder, 32 for sounds)
        --rate X              largest learning rate (default: 1e-3, 6e-4, 3e-4; sounds 1e-3, 1e-3, 6e-4)
        --warm-up N           steps until then (default: 200)
        --variants N          scenes per drawing besides the plain one (default: 8)
        --average X           share of the running average that is kept per step (default: 0.999)
        --previews N          drawings per preview, 0 for none (default: 64)
        --preview-minutes N   time between previews (default: 30)
        --checkpoint-minutes N time between checkpoints (default: 10)
        --journal N           steps between journal lines (default: 50)
        --seed N              everything random follows from it (default: 1)
        --model PATH          the language model (default: the embedded one)
        --rank N              of the adapter (default: 32)

        of align-input, align-output, instruct and package (every encoder and decoder may be missing; what is missing is not learnt):
        --encoder FOLDER, --picture-decoder FOLDER, --sound-decoder FOLDER, --clip-decoder FOLDER   frozen networks
        --autoencoder FOLDER  of a picture decoder that was trained without one beside it
        --from FOLDER         parts of an earlier stage
        --cache FOLDER        what frozen networks said of this world; stages may share it (default: cache in --out)
        --caption-weight X    of the distance to gold captions (default: 1)
        --max-tokens N        longest conversation (default: 256)
        --open FILE, --open-share X   kept open answers and their share (default: 0.15)
        --projection-width N, --projection-layers N   of fresh output projections (default: 256, 2)
        --input-width N       hidden layer of a fresh input projection (default: 0, one linear layer)
        --id NAME, --language PATH, --figures FILE, --render-steps N, --guidance X   of a package (default: mini, the embedded one, none, 20, 5)
        --styles A,B          drawing styles the encoder is trained on (default: all that may be)
        --patches X           share of the patches the encoder looks at in a step (default: 0.5)
        --resume              go on from the checkpoint in --out
        """;

    /// <summary>Runs.</summary>
    /// <param name="arguments">What follows <c>nextgpt train</c>.</param>
    /// <param name="output">Takes lines for a person.</param>
    /// <param name="cancellationToken">Stops training after a checkpoint.</param>
    /// <returns>0 for success, 1 for a failure that was told, 2 for arguments that make no sense.</returns>
    public static int Run(IReadOnlyList<string> arguments, TextWriter output, CancellationToken cancellationToken = default)
    {
        try
        {
            var options = TrainArguments.Parse(arguments);
            TorchRuntime.Load(options.Text("libtorch"));
            switch (options.Stage)
            {
                case "pack":
                    Pack(options, output);
                    break;
                case "picture-autoencoder":
                    TrainAutoencoder(options, output, cancellationToken);
                    break;
                case "pictures":
                    TrainPictures(options, output, cancellationToken);
                    break;
                case "sound-autoencoder":
                    SoundStages.TrainAutoencoder(options, Schedule(options, 8, 1e-3), PickDevice(options), output, cancellationToken);
                    break;
                case "vocoder":
                    SoundStages.TrainVocoder(options, Schedule(options, 8, 1e-3), PickDevice(options), output, cancellationToken);
                    break;
                case "sounds":
                    SoundStages.Train(
                        options, Schedule(options, 32, 6e-4), PickDevice(options), Precision(options), output, cancellationToken);
                    break;
                case "encoder":
                    TrainEncoder(options, output, cancellationToken);
                    break;
                case "clips":
                    ClipStage.Train(options, Schedule(options, 4, 4e-4), PickDevice(options), Precision(options), output, cancellationToken);
                    break;
                case "enlarger":
                    EnlargerStage.Train(options, Schedule(options, 16, 5e-4), PickDevice(options), output, cancellationToken);
                    break;
                case "talk-open":
                    TalkStages.AskOpen(options, output, cancellationToken);
                    break;
                case "talk":
                    TalkStages.Train(options, Schedule(options, 16, 3e-4), output, cancellationToken);
                    break;
                case "talk-exam":
                    TalkStages.Examine(options, output, cancellationToken);
                    break;
                case "align-input":
                    AlignmentStages.Train(options, Schedule(options, 32, 1e-3), PickDevice(options), Precision(options), output, cancellationToken);
                    break;
                case "align-output":
                    AlignmentStages.Train(options, Schedule(options, 32, 1e-3), PickDevice(options), Precision(options), output, cancellationToken);
                    break;
                case "instruct":
                    AlignmentStages.Train(options, Schedule(options, 16, 3e-4), PickDevice(options), Precision(options), output, cancellationToken);
                    break;
                case "package":
                    AlignmentStages.Assemble(options, output, cancellationToken);
                    break;
                default:
                    throw new TrainArgumentException($"'{options.Stage}' is no stage of training.");
            }

            return 0;
        }
        catch (TrainArgumentException failure)
        {
            output.WriteLine(failure.Message);
            output.WriteLine(Help);
            return 2;
        }
        catch (OperationCanceledException)
        {
            output.WriteLine("Stopped; --resume goes on from the checkpoint.");
            return 1;
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or InvalidOperationException)
        {
            output.WriteLine(failure.Message);
            return 1;
        }
    }

    private static void Pack(TrainArguments options, TextWriter output)
    {
        var clock = Stopwatch.StartNew();
        var atlas = PictureAtlas.Build(options.Required("world"));
        atlas.Save(options.Required("atlas"));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{atlas.Pictures.Count} pictures packed into {new FileInfo(options.Required("atlas")).Length / 1e6:0.0} MB in {clock.Elapsed.TotalSeconds:0} s."));
    }

    private static void TrainAutoencoder(TrainArguments options, TextWriter output, CancellationToken cancellationToken)
    {
        var trainer = new AutoencoderTrainer(
            PictureAtlas.Load(options.Required("atlas")), Schedule(options, 32, 1e-3), PickDevice(options), options.Required("out"), output,
            TimeProvider.System);
        trainer.Train(options.Has("resume"), cancellationToken);
    }

    private static void TrainPictures(TrainArguments options, TextWriter output, CancellationToken cancellationToken)
    {
        var trainer = new PictureTrainer(
            PictureAtlas.Load(options.Required("atlas")), Schedule(options, 64, 6e-4), PickDevice(options), options.Required("out"), output,
            TimeProvider.System)
        {
            Autoencoder = options.Required("autoencoder"),
            Precision = Precision(options),
            Variants = options.Whole("variants") ?? 8,
            AverageDecay = options.Number("average") ?? 0.999,
            PreviewCount = options.Whole("previews") ?? 64,
        };
        trainer.Train(options.Has("resume"), cancellationToken);
    }

    private static void TrainEncoder(TrainArguments options, TextWriter output, CancellationToken cancellationToken)
    {
        var folder = options.Required("world");
        var trainer = new EncoderTrainer(
            WorldData.Load(folder), options.Text("atlas") is { } atlas ? PictureAtlas.Load(atlas) : PictureAtlas.Build(folder),
            options.Text("styles")?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries), Schedule(options, 64, 1e-3),
            PickDevice(options), options.Required("out"), output, TimeProvider.System)
        {
            AverageDecay = options.Number("average") ?? 0.999,
            ExamCount = options.Whole("previews") ?? 256,
            PatchShare = options.Number("patches") ?? 0.5,
        };
        trainer.Train(options.Has("resume"), cancellationToken);
    }

    private static TrainingSchedule Schedule(TrainArguments options, int batch, double rate)
    {
        var (steps, minutes) = (options.Whole("steps"), options.Number("minutes"));
        if (steps is null == minutes is null)
        {
            throw new TrainArgumentException("Give either --steps or --minutes.");
        }

        return new TrainingSchedule
        {
            BatchSize = options.Whole("batch") ?? batch,
            LearningRate = options.Number("rate") ?? rate,
            WarmUpSteps = options.Whole("warm-up") ?? 200,
            TotalSteps = steps,
            Budget = minutes is { } budget ? TimeSpan.FromMinutes(budget) : null,
            JournalEvery = options.Whole("journal") ?? 50,
            CheckpointEvery = TimeSpan.FromMinutes(options.Number("checkpoint-minutes") ?? 10),
            PreviewEvery = TimeSpan.FromMinutes(options.Number("preview-minutes") ?? 30),
            Seed = options.Whole("seed") ?? 1,
        };
    }

    private static ScalarType Precision(TrainArguments options) => (options.Text("precision") ?? "f32") switch
    {
        "f32" => ScalarType.Float32,
        "bf16" => ScalarType.BFloat16,
        var other => throw new TrainArgumentException($"--precision {other} is not known; f32 and bf16 are."),
    };

    private static Device PickDevice(TrainArguments options)
    {
        var name = options.Text("device") ?? "cpu";
        if (!name.StartsWith("cuda", StringComparison.Ordinal))
        {
            return CPU;
        }

        if (!cuda.is_available())
        {
            throw new InvalidOperationException(
                $"--device {name}: this libtorch sees no GPU; name one that does with --libtorch, or train on the CPU.");
        }

        backends.cuda.matmul.allow_tf32 = true;
        backends.cudnn.allow_tf32 = true;
        return device(name);
    }
}
