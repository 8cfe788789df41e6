using System.Runtime.InteropServices;

namespace NextGpt.Media.Decoding;

/// <summary>What the operating system keeps a decoding process from.</summary>
/// <param name="Memory">It cannot have more memory than it may.</param>
/// <param name="Network">It, and what it starts, can open no socket.</param>
/// <param name="Files">It, and what it starts, can write no file.</param>
internal readonly record struct Confinement(bool Memory, bool Network, bool Files)
{
    public byte[] ToBytes() => [Memory ? (byte)1 : (byte)0, Network ? (byte)1 : (byte)0, Files ? (byte)1 : (byte)0];

    public static Confinement FromBytes(ReadOnlySpan<byte> bytes) => new(bytes[0] == 1, bytes[1] == 1, bytes[2] == 1);
}

/// <summary>Takes rights away from the process it is called in, for good (THR-7).</summary>
/// <remarks>
/// Linux: memory by RLIMIT_DATA, which counts what is written to and not the address space that the collector reserves;
/// files by RLIMIT_FSIZE 0; core dumps off; sockets, tracing, mounts and name spaces by a seccomp filter on all threads,
/// which programs started later inherit. Elsewhere nothing is taken here: the parent watches memory and time.
/// Sources: setrlimit(2), prctl(2), seccomp(2), linux/audit.h, asm/unistd.h.
/// </remarks>
internal static partial class Sandbox
{
    private const int LimitCpu = 0, LimitFileSize = 1, LimitData = 2, LimitCore = 4;
    private const int SetNoNewPrivileges = 38;
    private const uint SetModeFilter = 1, FilterAllThreads = 1;
    private const uint AuditX64 = 0xC000_003E, AuditArm64 = 0xC000_00B7;
    private const uint ReturnAllow = 0x7FFF_0000, ReturnAccessDenied = 0x0005_0000 | 13, ReturnKill = 0x8000_0000;
    private const ushort LoadWord = 0x20, JumpEqual = 0x15, JumpAtLeast = 0x35, Return = 0x06;

    /// <summary>CPU time after which the system ends a decoder that nobody ended; the parent replaces it long before.</summary>
    public static readonly TimeSpan CpuTime = TimeSpan.FromMinutes(10);

    // socket, ptrace, mount, unshare, setns, process_vm_readv, process_vm_writev, bpf, keyctl, io_uring_setup
    private static readonly uint[] DeniedX64 = [41, 101, 165, 272, 308, 310, 311, 321, 250, 425];
    private static readonly uint[] DeniedArm64 = [198, 117, 40, 97, 268, 270, 271, 280, 219, 425];

    /// <param name="megabytes">Memory that may be written to, in MiB.</param>
    /// <returns>What the system agreed to.</returns>
    public static Confinement Enter(int megabytes)
    {
        if (!OperatingSystem.IsLinux())
        {
            return default;
        }

        try
        {
            var bytes = (ulong)megabytes * 1024 * 1024;
            var memory = Limit(LimitData, bytes);
            var files = Limit(LimitFileSize, 0);
            Limit(LimitCore, 0);
            Limit(LimitCpu, (ulong)CpuTime.TotalSeconds);
            return new Confinement(memory, DenyCalls(), files);
        }
        catch (Exception missing) when (missing is DllNotFoundException or EntryPointNotFoundException)
        {
            return default;
        }
    }

    /// <summary>Whether the system would let this process write a byte into a file.</summary>
    public static bool MayWriteFiles()
    {
        var limit = default(ResourceLimit);
        return !OperatingSystem.IsLinux() || GetResourceLimit(LimitFileSize, ref limit) != 0 || limit.Now > 0;
    }

    private static bool Limit(int resource, ulong value)
    {
        var limit = new ResourceLimit { Now = value, Most = value };
        return SetResourceLimit(resource, ref limit) == 0;
    }

    private static unsafe bool DenyCalls()
    {
        var (architecture, number, denied) = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => (AuditX64, 317, DeniedX64),
            Architecture.Arm64 => (AuditArm64, 277, DeniedArm64),
            _ => (0u, 0, []),
        };
        if (architecture == 0 || Control(SetNoNewPrivileges, 1, 0, 0, 0) != 0)
        {
            return false;
        }

        // Another architecture's calls have other numbers (as have x32's, from 0x40000000): the first is the end, the second denied.
        List<Instruction> filter =
        [
            new(LoadWord, 0, 0, 4),
            new(JumpEqual, 1, 0, architecture),
            new(Return, 0, 0, ReturnKill),
            new(LoadWord, 0, 0, 0),
            new(JumpAtLeast, (byte)(denied.Length + 1), 0, 0x4000_0000),
        ];
        for (var i = 0; i < denied.Length; i++)
        {
            filter.Add(new(JumpEqual, (byte)(denied.Length - i), 0, denied[i]));
        }

        filter.Add(new(Return, 0, 0, ReturnAllow));
        filter.Add(new(Return, 0, 0, ReturnAccessDenied));
        fixed (Instruction* first = filter.ToArray())
        {
            var program = new FilterProgram { Length = (ushort)filter.Count, First = first };
            return SystemCall(number, SetModeFilter, FilterAllThreads, &program) == 0;
        }
    }

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static partial int SetResourceLimit(int resource, ref ResourceLimit limit);

    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    private static partial int GetResourceLimit(int resource, ref ResourceLimit limit);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int Control(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint SystemCall(nint number, nuint operation, nuint flags, void* argument);

    [StructLayout(LayoutKind.Sequential)]
    private struct ResourceLimit
    {
        public ulong Now;
        public ulong Most;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Operand);

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct FilterProgram
    {
        public ushort Length;
        public Instruction* First;
    }
}
