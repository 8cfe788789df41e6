using System.Buffers.Binary;
using System.Text;

namespace NextGpt.Model.Weights;

/// <summary>Reads one pickle made of containers and tensors; every other opcode and every other global is refused by name.</summary>
/// <remarks>
/// Nothing a file names is looked up in this program, constructed or called: the few permitted globals are values of our own
/// (<see cref="TorchPickleGlobals"/>). What a file may make is capped before it is made (THR-13). Opcodes of protocols 2 to 5
/// as in the module documentation of Python's <c>pickletools</c>.
/// </remarks>
internal sealed class TorchPickleMachine(string file, byte[] bytes, TorchTensorBuilder builder)
{
    private const int MaxItems = 4_000_000;
    private const int MaxMarks = 256;
    private const int MaxText = 1 << 16;

    private static readonly object Mark = new();
    private readonly List<object?> _stack = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private int _marks;
    private int _at;
    private int _made;

    /// <summary>First byte after what was read.</summary>
    public int Position => _at;

    /// <summary>Reads the pickle that begins at a byte.</summary>
    /// <param name="start">Its first byte.</param>
    /// <exception cref="InvalidDataException">Names the opcode or global that is not read, or says what is damaged.</exception>
    public object? Read(int start)
    {
        _at = start;
        _stack.Clear();
        _memo.Clear();
        _marks = 0;
        while (true)
        {
            var at = _at;
            var opcode = Byte();
            if (opcode == '.')
            {
                var result = Pop();
                return _stack.Count == 0 ? result : throw Bad($"{_stack.Count} values are left over at its end");
            }

            if (++_made > MaxItems)
            {
                throw Bad($"it has more than {MaxItems} opcodes");
            }

            Step(opcode, at);
        }
    }

    private void Step(byte opcode, int at)
    {
        switch (opcode)
        {
            case 0x80: Protocol(Byte()); break;
            case 0x95: Take(8); break;   // FRAME: its length is a hint for buffered readers
            case (byte)'(': PushMark(); break;
            case (byte)'0': PopOrMark(); break;
            case (byte)'1': PopToMark(); break;
            case (byte)'N': Push(null); break;
            case 0x88: Push(true); break;
            case 0x89: Push(false); break;
            case (byte)'K': Push((long)Byte()); break;
            case (byte)'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case (byte)'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case 0x8a: Push(Whole(Take(Byte()))); break;
            case (byte)'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
            case (byte)'X': Push(Text(UInt32())); break;
            case 0x8c: Push(Text(Byte())); break;
            case 0x8d: Push(Text(UInt64())); break;
            case (byte)'T': Push(Text(UInt32())); break;
            case (byte)'U': Push(Text(Byte())); break;
            case (byte)')': Push(Array.Empty<object?>()); break;
            case (byte)'t': Push(PopToMark()); break;
            case 0x85: Push(PopMany(1)); break;
            case 0x86: Push(PopMany(2)); break;
            case 0x87: Push(PopMany(3)); break;
            case (byte)']': Push(new List<object?>()); break;
            case (byte)'l': Push(new List<object?>(PopToMark())); break;
            case (byte)'a': Append([Pop()]); break;
            case (byte)'e': Append(PopToMark()); break;
            case (byte)'}': Push(new TorchPickleMapping()); break;
            case (byte)'d': Push(Filled(new TorchPickleMapping(), PopToMark())); break;
            case (byte)'s': SetItems(PopMany(2)); break;
            case (byte)'u': SetItems(PopToMark()); break;
            case (byte)'q': Remember(Byte()); break;
            case (byte)'r': Remember(UInt32()); break;
            case 0x94: Remember((uint)_memo.Count); break;
            case (byte)'h': Push(Recall(Byte())); break;
            case (byte)'j': Push(Recall(UInt32())); break;
            case (byte)'c': Push(Global(Line(), Line())); break;
            case 0x93: StackGlobal(); break;
            case (byte)'Q': Push(builder.Storage(Pop())); break;
            case (byte)'R': Reduce(); break;
            case (byte)'b': Build(); break;
            default:
                throw new InvalidDataException(
                    $"{file}: at byte {at} of its pickle stands the opcode {Described(opcode)}, which is not read; "
                    + $"{TorchPickleGlobals.Known}. Save the weights alone (state_dict) as safetensors.");
        }
    }

    private void Protocol(byte version)
    {
        if (version is < 2 or > 5)
        {
            throw Bad($"it is of pickle protocol {version}; 2 to 5 are read");
        }
    }

    private void PushMark()
    {
        if (++_marks > MaxMarks)
        {
            throw Bad($"more than {MaxMarks} containers are open at once");
        }

        Push(Mark);
    }

    private void PopOrMark()
    {
        if (_stack.Count > 0 && ReferenceEquals(_stack[^1], Mark))
        {
            _marks--;
            _stack.RemoveAt(_stack.Count - 1);
        }
        else
        {
            Pop();
        }
    }

    private object?[] PopToMark()
    {
        var mark = _stack.LastIndexOf(Mark);
        if (mark < 0)
        {
            throw Bad("a container ends that did not begin");
        }

        object?[] items = [.. _stack[(mark + 1)..]];
        _stack.RemoveRange(mark, _stack.Count - mark);
        _marks--;
        return items;
    }

    private object?[] PopMany(int count)
    {
        var items = new object?[count];
        for (var i = count - 1; i >= 0; i--)
        {
            items[i] = Pop();
        }

        return items;
    }

    private void Push(object? value) => _stack.Add(value);

    private object? Pop()
    {
        var value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object? Peek() => _stack.Count > 0 && !ReferenceEquals(_stack[^1], Mark)
        ? _stack[^1]
        : throw Bad("an opcode wants a value that is not there");

    private void Append(object?[] items)
    {
        if (Peek() is not List<object?> list)
        {
            throw Bad("something is appended to a value that is not a list");
        }

        list.AddRange(items);
    }

    private void SetItems(object?[] items)
    {
        if (Peek() is not TorchPickleMapping mapping)
        {
            throw Bad("an entry is set in a value that is not a dictionary");
        }

        Filled(mapping, items);
    }

    private TorchPickleMapping Filled(TorchPickleMapping mapping, object?[] items)
    {
        if (items.Length % 2 != 0)
        {
            throw Bad("a dictionary has a key without a value");
        }

        for (var i = 0; i < items.Length; i += 2)
        {
            mapping.Entries.Add(KeyValuePair.Create(items[i], items[i + 1]));
        }

        return mapping;
    }

    private void Remember(uint slot) => _memo[slot] = Peek();

    private object? Recall(uint slot) =>
        _memo.TryGetValue(slot, out var value) ? value : throw Bad($"it recalls value {slot}, which it never kept");

    private void StackGlobal()
    {
        if (PopMany(2) is not [string module, string name])
        {
            throw Bad("a global is named by something other than two strings");
        }

        Push(Global(module, name));
    }

    private TorchPickleGlobal Global(string module, string name) =>
        TorchPickleGlobals.Find(module, name) ?? throw new InvalidDataException(
            $"{file}: its pickle names the global '{TorchTensorBuilder.Shown($"{module}.{name}")}', which is not read; "
            + $"{TorchPickleGlobals.Known}. Save the weights alone (state_dict) as safetensors.");

    private void Reduce()
    {
        var arguments = Pop() as object?[] ?? throw Bad("a global is applied to something other than a tuple");
        var global = Pop() as TorchPickleGlobal ?? throw Bad("something is called that is not a global");
        Push(global.Kind switch
        {
            TorchPickleGlobalKind.OrderedDict => Ordered(arguments),
            TorchPickleGlobalKind.RebuildTensor => builder.Tensor(arguments, typed: false),
            TorchPickleGlobalKind.RebuildTypedTensor => builder.Tensor(arguments, typed: true),
            TorchPickleGlobalKind.RebuildParameter when arguments is [TorchTensor tensor, ..] => tensor,
            TorchPickleGlobalKind.Size or TorchPickleGlobalKind.Device => new TorchPickleOpaque(global),
            _ => throw Bad($"'{global.Name.Replace(' ', '.')}' is called with arguments that it does not take"),
        });
    }

    /// <summary>Without arguments, or (older Pythons) with a list of pairs.</summary>
    private TorchPickleMapping Ordered(object?[] arguments)
    {
        var mapping = new TorchPickleMapping();
        if (arguments is [])
        {
            return mapping;
        }

        if (arguments is not [List<object?> pairs])
        {
            throw Bad("an OrderedDict is made of something other than a list of pairs");
        }

        foreach (var pair in pairs)
        {
            Filled(mapping, pair switch
            {
                object?[] { Length: 2 } tuple => tuple,
                List<object?> { Count: 2 } list => [.. list],
                _ => throw Bad("an OrderedDict is made of something other than pairs"),
            });
        }

        return mapping;
    }

    /// <summary>Attributes of a dictionary (<c>_metadata</c>, the versions of its layers) are of no use here.</summary>
    private void Build()
    {
        Pop();
        if (Peek() is not TorchPickleMapping)
        {
            throw Bad("attributes are set on a value that is not a dictionary");
        }
    }

    private static object Whole(ReadOnlySpan<byte> digits) => digits.Length switch
    {
        0 => 0L,
        <= 8 => SignExtended(digits),
        _ => Convert.ToHexStringLower(digits),   // the magic number of the old layout, compared as it stands
    };

    private static long SignExtended(ReadOnlySpan<byte> digits)
    {
        Span<byte> wide = stackalloc byte[8];
        wide.Fill((digits[^1] & 0x80) != 0 ? (byte)0xFF : (byte)0);
        digits.CopyTo(wide);
        return BinaryPrimitives.ReadInt64LittleEndian(wide);
    }

    private byte Byte() => Take(1)[0];

    private uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    private ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > bytes.Length - _at)
        {
            throw Bad("it ends in the middle (cut short?)");
        }

        _at += count;
        return bytes.AsSpan(_at - count, count);
    }

    private string Text(ulong length)
    {
        if (length > MaxText)
        {
            throw Bad($"it has a string of {length} bytes, at most {MaxText} are accepted");
        }

        return Encoding.UTF8.GetString(Take((int)length));
    }

    private string Line()
    {
        var rest = bytes.AsSpan(_at);
        var end = rest[..Math.Min(rest.Length, 512)].IndexOf((byte)'\n');
        if (end < 0)
        {
            throw Bad("the name of a global does not end");
        }

        _at += end + 1;
        return Encoding.UTF8.GetString(rest[..end]);
    }

    private static string Described(byte opcode) => opcode switch
    {
        (byte)'i' => "INST ('i')",
        (byte)'o' => "OBJ ('o')",
        (byte)'P' => "PERSID ('P')",
        (byte)'p' => "PUT ('p')",
        (byte)'g' => "GET ('g')",
        (byte)'I' => "INT ('I')",
        (byte)'L' => "LONG ('L')",
        (byte)'F' => "FLOAT ('F')",
        (byte)'S' => "STRING ('S')",
        (byte)'V' => "UNICODE ('V')",
        (byte)'2' => "DUP ('2')",
        (byte)'B' => "BINBYTES ('B')",
        (byte)'C' => "SHORT_BINBYTES ('C')",
        0x81 => "NEWOBJ (0x81)",
        0x82 => "EXT1 (0x82)",
        0x83 => "EXT2 (0x83)",
        0x84 => "EXT4 (0x84)",
        0x8b => "LONG4 (0x8B)",
        0x8e => "BINBYTES8 (0x8E)",
        0x8f => "EMPTY_SET (0x8F)",
        0x90 => "ADDITEMS (0x90)",
        0x91 => "FROZENSET (0x91)",
        0x92 => "NEWOBJ_EX (0x92)",
        0x96 => "BYTEARRAY8 (0x96)",
        0x97 => "NEXT_BUFFER (0x97)",
        0x98 => "READONLY_BUFFER (0x98)",
        _ => $"0x{opcode:X2}",
    };

    private InvalidDataException Bad(string problem) =>
        new($"{file}: its pickle is not usable: {problem}; the file is damaged or is no checkpoint of torch.");
}
