using System.Text.Json.Nodes;

namespace NextGpt.Model.Decoders.Schedulers;

/// <summary>How a sampler walks from noise to a sample.</summary>
public enum SamplerKind
{
    /// <summary>Ancestral sampling (Ho et al. 2020).</summary>
    Ddpm,

    /// <summary>Denoising diffusion implicit models (Song et al. 2021).</summary>
    Ddim,

    /// <summary>Pseudo numerical methods, linear multistep part (Liu et al. 2022).</summary>
    Pndm,

    /// <summary>Euler steps in the noise scale (Karras et al. 2022, algorithm 2 without churn).</summary>
    Euler,

    /// <summary>DPM-Solver++, multistep (Lu et al. 2022).</summary>
    DpmSolver,
}

/// <summary>How the variance of the noise grows over the training steps.</summary>
public enum BetaSchedule
{
    /// <summary>Linear.</summary>
    Linear,

    /// <summary>Linear in the square root (Stable Diffusion).</summary>
    ScaledLinear,

    /// <summary>The cosine schedule of Nichol and Dhariwal 2021, capped at 0.999.</summary>
    SquaredCosine,
}

/// <summary>What the network was trained to predict.</summary>
public enum PredictionKind
{
    /// <summary>The noise.</summary>
    Epsilon,

    /// <summary>The velocity (Salimans and Ho 2022).</summary>
    Velocity,

    /// <summary>The clean sample.</summary>
    Sample,
}

/// <summary>Which training steps a shorter run visits.</summary>
public enum TimestepSpacing
{
    /// <summary>Evenly, both ends included.</summary>
    Linspace,

    /// <summary>Multiples of a whole stride, from the clean end.</summary>
    Leading,

    /// <summary>Multiples of the stride, from the noisy end.</summary>
    Trailing,
}

/// <summary>The numbers of a noise schedule and its sampler, as in <c>scheduler_config.json</c>.</summary>
public sealed record SchedulerConfig
{
    /// <summary>How to sample.</summary>
    public required SamplerKind Kind { get; init; }

    /// <summary>Training steps.</summary>
    public int TrainSteps { get; init; } = 1_000;

    /// <summary>First variance.</summary>
    public double BetaStart { get; init; } = 0.0001;

    /// <summary>Last variance.</summary>
    public double BetaEnd { get; init; } = 0.02;

    /// <summary>How the variance grows.</summary>
    public BetaSchedule BetaSchedule { get; init; }

    /// <summary>What the network predicts.</summary>
    public PredictionKind Prediction { get; init; }

    /// <summary>Which steps a run visits.</summary>
    public TimestepSpacing Spacing { get; init; }

    /// <summary>Added to the time steps of leading spacing.</summary>
    public int StepsOffset { get; init; }

    /// <summary>Clean predictions are clamped to ± this; null does not clamp.</summary>
    public double? ClipRange { get; init; }

    /// <summary>Whether the step after the last is free of noise (otherwise it has the first step's).</summary>
    public bool AlphaOneAtEnd { get; init; } = true;

    /// <summary>Whether the last training step is made pure noise (Lin et al. 2024).</summary>
    public bool ZeroTerminalSignal { get; init; }

    /// <summary>Whether noise scales follow Karras et al. 2022 (rho 7).</summary>
    public bool KarrasSigmas { get; init; }

    /// <summary>Order of DPM-Solver++, 1 to 3.</summary>
    public int SolverOrder { get; init; } = 2;

    /// <summary>Heun instead of midpoint form of second-order DPM-Solver++.</summary>
    public bool HeunSolver { get; init; }

    /// <summary>Whether DPM-Solver++ falls back to lower orders at the end of runs under 15 steps.</summary>
    public bool LowerOrderFinal { get; init; } = true;

    /// <summary>Whether DPM-Solver++ takes a first-order step at the end of any run.</summary>
    public bool EulerAtFinal { get; init; }

    /// <summary>Whether the noise scale after the last step is the smallest trained one instead of zero.</summary>
    public bool SmallestSigmaAtEnd { get; init; }

    /// <summary>Share of DDIM's variance that is added as fresh noise; 0 is deterministic.</summary>
    public double Eta { get; init; }

    /// <summary>Reads <c>scheduler_config.json</c>.</summary>
    /// <param name="file">Path of the file.</param>
    /// <exception cref="InvalidDataException">A setting is unknown or missing; the message names it.</exception>
    public static SchedulerConfig Load(string file) => Read(DiffusersConfig.Load(file));

    /// <summary>Reads the text of a <c>scheduler_config.json</c>.</summary>
    /// <param name="json">The text.</param>
    /// <param name="name">A name for messages.</param>
    /// <exception cref="InvalidDataException">A setting is unknown or missing; the message names it.</exception>
    public static SchedulerConfig Parse(string json, string name) => Read(DiffusersConfig.Parse(json, name));

    /// <summary>Writes a <c>scheduler_config.json</c>.</summary>
    /// <param name="file">Path of the file; replaced where it exists.</param>
    public void Save(string file) => DiffusersConfig.Save(file, new JsonObject
    {
        ["_class_name"] = Kind switch
        {
            SamplerKind.Ddim => "DDIMScheduler",
            SamplerKind.Pndm => "PNDMScheduler",
            SamplerKind.Euler => "EulerDiscreteScheduler",
            SamplerKind.DpmSolver => "DPMSolverMultistepScheduler",
            _ => "DDPMScheduler",
        },
        ["num_train_timesteps"] = TrainSteps,
        ["beta_start"] = BetaStart,
        ["beta_end"] = BetaEnd,
        ["beta_schedule"] = BetaSchedule switch
        {
            BetaSchedule.ScaledLinear => "scaled_linear",
            BetaSchedule.SquaredCosine => "squaredcos_cap_v2",
            _ => "linear",
        },
        ["prediction_type"] = Prediction switch
        {
            PredictionKind.Velocity => "v_prediction",
            PredictionKind.Sample => "sample",
            _ => "epsilon",
        },
        ["timestep_spacing"] = Spacing switch
        {
            TimestepSpacing.Linspace => "linspace",
            TimestepSpacing.Leading => "leading",
            _ => "trailing",
        },
        ["steps_offset"] = StepsOffset,
        ["clip_sample"] = ClipRange is not null,
        ["clip_sample_range"] = ClipRange ?? 1,
        ["set_alpha_to_one"] = AlphaOneAtEnd,
        ["skip_prk_steps"] = true,
        ["rescale_betas_zero_snr"] = ZeroTerminalSignal,
        ["use_karras_sigmas"] = KarrasSigmas,
        ["algorithm_type"] = "dpmsolver++",
        ["solver_order"] = SolverOrder,
        ["solver_type"] = HeunSolver ? "heun" : "midpoint",
        ["lower_order_final"] = LowerOrderFinal,
        ["euler_at_final"] = EulerAtFinal,
        ["final_sigmas_type"] = SmallestSigmaAtEnd ? "sigma_min" : "zero",
    });

    private static SchedulerConfig Read(DiffusersConfig config)
    {
        config.Expect("trained_betas");
        config.Expect("thresholding", "false");
        config.Expect("use_beta_sigmas", "false");
        config.Expect("use_exponential_sigmas", "false");
        config.Expect("use_flow_sigmas", "false");
        config.Expect("use_lu_lambdas", "false");
        config.Expect("algorithm_type", "dpmsolver++");
        config.Expect("interpolation_type", "linear");
        config.Expect("beta_schedule", "linear", "scaled_linear", "squaredcos_cap_v2");
        config.Expect("prediction_type", "epsilon", "v_prediction", "sample");
        config.Expect("timestep_spacing", "linspace", "leading", "trailing");
        config.Expect("solver_type", "midpoint", "heun");
        config.Expect("final_sigmas_type", "zero", "sigma_min");
        config.Expect(
            "_class_name", "DDPMScheduler", "DDIMScheduler", "PNDMScheduler", "EulerDiscreteScheduler",
            "DPMSolverMultistepScheduler");
        var kind = config.Text("_class_name") switch
        {
            "DDIMScheduler" => SamplerKind.Ddim,
            "PNDMScheduler" => SamplerKind.Pndm,
            "EulerDiscreteScheduler" => SamplerKind.Euler,
            "DPMSolverMultistepScheduler" => SamplerKind.DpmSolver,
            _ => SamplerKind.Ddpm,
        };
        if (kind == SamplerKind.Pndm && config.Flag("skip_prk_steps", false) is false)
        {
            throw new InvalidDataException(
                "PNDMScheduler without skip_prk_steps (Runge-Kutta warm-up) is not supported; set skip_prk_steps to true.");
        }

        var clips = kind is SamplerKind.Ddim or SamplerKind.Ddpm && config.Flag("clip_sample", true);
        return new SchedulerConfig
        {
            Kind = kind,
            TrainSteps = config.Integer("num_train_timesteps", 1_000),
            BetaStart = config.Number("beta_start", 0.0001),
            BetaEnd = config.Number("beta_end", 0.02),
            BetaSchedule = config.Text("beta_schedule") switch
            {
                "scaled_linear" => BetaSchedule.ScaledLinear,
                "squaredcos_cap_v2" => BetaSchedule.SquaredCosine,
                _ => BetaSchedule.Linear,
            },
            Prediction = config.Text("prediction_type") switch
            {
                "v_prediction" => PredictionKind.Velocity,
                "sample" => PredictionKind.Sample,
                _ => PredictionKind.Epsilon,
            },
            Spacing = config.Text("timestep_spacing") switch
            {
                "linspace" => TimestepSpacing.Linspace,
                "leading" => TimestepSpacing.Leading,
                "trailing" => TimestepSpacing.Trailing,
                _ => kind is SamplerKind.Euler or SamplerKind.DpmSolver ? TimestepSpacing.Linspace : TimestepSpacing.Leading,
            },
            StepsOffset = config.Integer("steps_offset", 0),
            ClipRange = clips ? config.Number("clip_sample_range", 1.0) : null,
            AlphaOneAtEnd = config.Flag("set_alpha_to_one", kind != SamplerKind.Pndm),
            ZeroTerminalSignal = config.Flag("rescale_betas_zero_snr", false),
            KarrasSigmas = config.Flag("use_karras_sigmas", false),
            SolverOrder = config.Integer("solver_order", 2),
            HeunSolver = config.Text("solver_type") == "heun",
            LowerOrderFinal = config.Flag("lower_order_final", true),
            EulerAtFinal = config.Flag("euler_at_final", false),
            SmallestSigmaAtEnd = config.Text("final_sigmas_type") == "sigma_min",
        };
    }
}
