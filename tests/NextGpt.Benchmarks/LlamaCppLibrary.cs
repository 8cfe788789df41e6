using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NextGpt.Benchmarks;

/// <summary>The few functions of <c>llama.h</c> that the comparison needs.</summary>
/// <remarks>
/// Parameter structures are taken as the library fills them. They are larger here than there, which the calling convention
/// of Linux x64 allows (structures of more than 16 bytes travel by memory); only the context length, the first field, is changed.
/// </remarks>
internal sealed unsafe class LlamaCppLibrary
{
    private readonly nint _library;

    /// <summary>Loads the libraries and the best of the package's processor variants.</summary>
    /// <exception cref="DllNotFoundException">A library does not load.</exception>
    /// <exception cref="EntryPointNotFoundException">It is another llama.cpp than expected.</exception>
    public LlamaCppLibrary(string folder)
    {
        NativeLibrary.Load(Path.Combine(folder, "libggml-base.so"));
        var ggml = NativeLibrary.Load(Find(folder, "libggml.v*.so"));
        _library = NativeLibrary.Load(Find(folder, "libllama.v*.so"));
        ((delegate* unmanaged<delegate* unmanaged<int, byte*, void*, void>, void*, void>)Function("llama_log_set"))(&Silent, null);
        var path = Marshal.StringToCoTaskMemUTF8(folder);
        ((delegate* unmanaged<byte*, void>)NativeLibrary.GetExport(ggml, "ggml_backend_load_all_from_path"))((byte*)path);
        Marshal.FreeCoTaskMem(path);
        ((delegate* unmanaged<void>)Function("llama_backend_init"))();
    }

    /// <summary>Opens a model.</summary>
    public nint OpenModel(string file)
    {
        var parameters = ((delegate* unmanaged<Parameters>)Function("llama_model_default_params"))();
        var path = Marshal.StringToCoTaskMemUTF8(file);
        var model = ((delegate* unmanaged<byte*, Parameters, nint>)Function("llama_model_load_from_file"))((byte*)path, parameters);
        Marshal.FreeCoTaskMem(path);
        return model != 0 ? model : throw new InvalidOperationException($"llama.cpp could not load {file}.");
    }

    /// <summary>A context with llama.cpp's own defaults except length and threads.</summary>
    public nint NewContext(nint model, uint length, int threads)
    {
        var parameters = ((delegate* unmanaged<Parameters>)Function("llama_context_default_params"))();
        if (parameters[0] != 512 || parameters[1] != 2_048 || parameters[2] != 512)
        {
            throw new EntryPointNotFoundException("llama.cpp's context parameters are laid out otherwise than expected.");
        }

        parameters[0] = length;
        var context = ((delegate* unmanaged<nint, Parameters, nint>)Function("llama_init_from_model"))(model, parameters);
        if (context == 0)
        {
            throw new InvalidOperationException("llama.cpp could not make a context.");
        }

        ((delegate* unmanaged<nint, int, int, void>)Function("llama_set_n_threads"))(context, threads, threads);
        return context;
    }

    /// <summary>Empties a context.</summary>
    public void Clear(nint context)
    {
        var memory = ((delegate* unmanaged<nint, nint>)Function("llama_get_memory"))(context);
        ((delegate* unmanaged<nint, byte, void>)Function("llama_memory_clear"))(memory, 1);
    }

    /// <summary>Reads tokens and waits for the logits after the last one.</summary>
    /// <returns>[vocab]</returns>
    public float* Decode(nint context, int[] tokens)
    {
        fixed (int* first = tokens)
        {
            var batch = ((delegate* unmanaged<int*, int, Batch>)Function("llama_batch_get_one"))(first, tokens.Length);
            var result = ((delegate* unmanaged<nint, Batch, int>)Function("llama_decode"))(context, batch);
            if (result != 0)
            {
                throw new InvalidOperationException($"llama_decode gave {result}.");
            }
        }

        return ((delegate* unmanaged<nint, int, float*>)Function("llama_get_logits_ith"))(context, -1);
    }

    /// <summary>Frees a context.</summary>
    public void CloseContext(nint context) => ((delegate* unmanaged<nint, void>)Function("llama_free"))(context);

    /// <summary>Frees a model.</summary>
    public void CloseModel(nint model) => ((delegate* unmanaged<nint, void>)Function("llama_model_free"))(model);

    private static string Find(string folder, string pattern) =>
        Directory.EnumerateFiles(folder, pattern).FirstOrDefault()
        ?? throw new DllNotFoundException($"{folder} holds no {pattern}.");

    [UnmanagedCallersOnly]
    private static void Silent(int level, byte* text, void* data)
    {
    }

    private nint Function(string name) => NativeLibrary.GetExport(_library, name);

    [InlineArray(256)]
    private struct Parameters
    {
        private uint _first;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Batch
    {
        public int Count;
        public nint Tokens;
        public nint Embeddings;
        public nint Positions;
        public nint SequenceCounts;
        public nint Sequences;
        public nint Outputs;
    }
}
