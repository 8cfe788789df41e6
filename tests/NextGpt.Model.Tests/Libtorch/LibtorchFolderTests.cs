using NextGpt.Model.Libtorch;

namespace NextGpt.Model.Tests.Libtorch;

/// <summary>Only Linux libraries are looked into before they are loaded; elsewhere these have nothing to show.</summary>
public sealed class LibtorchFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("libtorch-").FullName;

    private static string Own => TorchRuntime.LoadedFrom!;

    private static string Shim => Directory
        .EnumerateFiles(AppContext.BaseDirectory, LibtorchFolder.LibraryName("LibTorchSharp"), SearchOption.AllDirectories).First();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_libtorch_that_comes_along_has_every_function_the_shim_calls()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads Linux libraries");

        LibtorchFolder.Check(Own, Shim);

        Assert.Equal(1_204, ElfLibrary.Read(Shim).WantedWithoutVersion().Count);
        Assert.Contains("libc10.so", ElfLibrary.Read(Path.Combine(Own, "libtorch_cpu.so")).Needed());
    }

    [Fact]
    public void A_folder_that_is_not_there_or_has_no_libtorch_is_refused()
    {
        Assert.Contains("does not exist", Refusal(Path.Combine(_folder, "nowhere")));
        Assert.Contains("c10", Refusal(_folder));
        Assert.Contains("NextGpt:Model:Libtorch", Refusal(_folder));
    }

    [Fact]
    public void The_folder_above_the_right_one_is_refused_with_a_hint()
    {
        var lib = Directory.CreateDirectory(Path.Combine(_folder, "lib")).FullName;
        File.WriteAllText(Path.Combine(lib, LibtorchFolder.LibraryName("torch_cpu")), "");

        Assert.Contains($"{lib} has libtorch, is it meant?", Refusal(_folder));
    }

    [Theory]
    [InlineData("I am a text file that is called libtorch_cpu.so, and long enough to be looked into.", "not a shared library")]
    [InlineData("", "cut short")]
    public void A_file_that_only_has_the_name_is_refused(string content, string problem)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads Linux libraries");
        Pretend("c10", "torch");
        File.WriteAllText(Path.Combine(_folder, "libtorch_cpu.so"), content);

        var refusal = Refusal(_folder);

        Assert.Contains("libtorch_cpu.so", refusal);
        Assert.Contains(problem, refusal);
    }

    [Fact]
    public void A_library_cut_short_is_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads Linux libraries");
        Pretend("c10", "torch");
        File.WriteAllBytes(
            Path.Combine(_folder, "libtorch_cpu.so"), File.ReadAllBytes(Path.Combine(Own, "libc10.so")).AsSpan(0, 100_000));

        Assert.Contains("cut short", Refusal(_folder));
    }

    [Fact]
    public void A_library_for_another_processor_is_refused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads Linux libraries");
        Pretend("c10", "torch", "torch_cpu");
        var path = Path.Combine(_folder, "libtorch_cpu.so");
        var bytes = File.ReadAllBytes(path);
        bytes[18] = 8;   // MIPS
        File.WriteAllBytes(path, bytes);

        Assert.Contains("another kind of processor", Refusal(_folder));
    }

    [Fact]
    public void Another_version_is_refused_with_the_functions_it_lacks_and_the_version_it_states()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads Linux libraries");
        var lib = Path.Combine(_folder, "torch", "lib");
        Directory.CreateDirectory(lib);
        foreach (var name in new[] { "c10", "torch", "torch_cpu" })
        {
            File.Copy(Path.Combine(Own, "libc10.so"), Path.Combine(lib, LibtorchFolder.LibraryName(name)));
        }

        File.WriteAllText(Path.Combine(_folder, "torch", "version.py"), "__version__ = '1.13.1+cpu'\n");

        var refusal = Refusal(lib);

        Assert.Matches("lacks [0-9]{3,4} of the 1204 functions", refusal);
        Assert.Contains("it is version 1.13.1+cpu", refusal);
        Assert.Contains("needs libtorch 2.10 or 2.11", refusal);
    }

    [Fact]
    public void A_shim_that_the_system_cannot_load_is_refused_with_its_reason_and_the_systems_that_can()
    {
        var shim = Path.Combine(_folder, LibtorchFolder.LibraryName("LibTorchSharp"));
        File.WriteAllText(shim, "cut short");

        var refusal = Assert.Throws<InvalidOperationException>(() => LibtorchFolder.LoadShim(shim)).Message;

        Assert.StartsWith($"{Path.GetFileName(shim)} does not load on this system (", refusal);
        Assert.Contains("glibc 2.34", refusal);
        Assert.Contains("NextGpt:Model:Device set to cpu", refusal);
    }

    [Fact]
    public void The_cuda_libraries_of_a_python_environment_are_found_beside_torch()
    {
        var lib = Directory.CreateDirectory(Path.Combine(_folder, "site-packages", "torch", "lib")).FullName;
        var blas = Directory.CreateDirectory(Path.Combine(_folder, "site-packages", "nvidia", "cublas", "lib")).FullName;
        var runtime = Directory.CreateDirectory(Path.Combine(_folder, "site-packages", "nvidia", "cuda_runtime", "lib")).FullName;
        Directory.CreateDirectory(Path.Combine(_folder, "site-packages", "nvidia", "no_libraries"));

        Assert.Equal([blas, runtime], LibtorchFolder.WheelFolders(lib));
        Assert.Equal([blas, runtime], LibtorchFolder.WheelFolders(lib + Path.DirectorySeparatorChar));
        Assert.Empty(LibtorchFolder.WheelFolders(Path.Combine(_folder, "site-packages")));
    }

    [Fact]
    public void Whatever_is_damaged_in_a_library_the_reader_reads_it_or_refuses_it_in_its_own_words()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads Linux libraries");
        var whole = File.ReadAllBytes(Path.Combine(Own, "libc10.so"));
        var path = Path.Combine(_folder, "damaged.so");
        File.WriteAllBytes(path, whole);
        var table = (int)BitConverter.ToInt64(whole, 40);
        var random = new Random(20_240_611);
        var refused = 0;
        for (var i = 0; i < 500; i++)
        {
            var at = random.Next(2) == 0 ? random.Next(64) : random.Next(table, whole.Length);
            Overwrite(path, at, (byte)(whole[at] ^ random.Next(1, 256)));
            try
            {
                var library = ElfLibrary.Read(path);
                library.Needed();
                library.RemoveDefined(library.WantedWithoutVersion());
            }
            catch (InvalidDataException refusal)
            {
                Assert.StartsWith(path, refusal.Message);
                refused++;
            }

            Overwrite(path, at, whole[at]);
        }

        Assert.InRange(refused, 50, 450);
    }

    private static void Overwrite(string path, int at, byte value)
    {
        using var file = File.OpenWrite(path);
        file.Position = at;
        file.WriteByte(value);
    }

    private static string Refusal(string folder) =>
        Assert.Throws<InvalidOperationException>(() => LibtorchFolder.Check(folder, Shim)).Message;

    private void Pretend(params string[] names)
    {
        foreach (var name in names)
        {
            File.Copy(Path.Combine(Own, "libc10.so"), Path.Combine(_folder, LibtorchFolder.LibraryName(name)));
        }
    }
}
