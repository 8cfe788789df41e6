using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace NextGpt.Conversations.Tests.Index;

/// <summary>LOG-4 as architecture: of LiteDB the project calls what is on this list, from one type, and nothing else.</summary>
public sealed class LiteDbRulesTests
{
    private static readonly string[] Allowed =
    [
        // A typed collection directly on the file with ordinal collation and a mapper of our own.
        "EngineSettings..ctor", "EngineSettings.set_Filename", "EngineSettings.set_Collation", "Collation.Binary",
        "EngineSettings.set_DataStream", "EngineSettings.set_LogStream", "LiteEngine..ctor",
        "BsonMapper..ctor", "BsonMapper.set_TrimWhitespace", "BsonMapper.set_EmptyStringToNull",
        "LiteDatabase..ctor", "LiteDatabase.GetCollection", "LiteDatabase.Checkpoint", "LiteDatabase.Dispose",
        // Writes, each a transaction of its own.
        "ILiteCollection`1.EnsureIndex", "ILiteCollection`1.InsertBulk", "ILiteCollection`1.Upsert",
        "ILiteCollection`1.Delete", "ILiteCollection`1.Update",
        // Reads that return whole lists or one row.
        "ILiteCollection`1.FindById", "ILiteCollection`1.Count", "ILiteCollection`1.Query",
        "ILiteQueryable`1.Where", "ILiteQueryable`1.OrderBy", "ILiteQueryable`1.OrderByDescending",
        "ILiteQueryableResult`1.Limit", "ILiteQueryableResult`1.ToArray",
        "Query.Between", "Query.GTE", "BsonValue.op_Implicit", "BsonExpression.op_Implicit",
    ];

    [Fact]
    [Trait("Product", "LOG-4")]
    public void Only_listed_members_of_LiteDB_are_used()
    {
        var used = MembersUsed();
        Assert.NotEmpty(used);
        Assert.Empty(used.Except(Allowed));
        Assert.DoesNotContain(TypesUsed(), type => type is "BsonDocument" or "ILiteStorage`1" or "LiteFileInfo`1");
    }

    [Fact]
    [Trait("Product", "LOG-4")]
    public void Only_one_type_knows_LiteDB()
    {
        var source = Path.Combine(RepositoryRoot(), "src", "NextGpt.Conversations");
        var files = Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Where(path => File.ReadAllText(path).Contains("using LiteDB", StringComparison.Ordinal))
            .Select(path => Path.GetFileName(path));
        Assert.Equal(["IndexFile.cs"], files);
        var text = File.ReadAllText(Path.Combine(source, "Index", "IndexFile.cs"));
        Assert.Contains("new LiteEngine(", text, StringComparison.Ordinal);   // the engine itself: no shared mode
        Assert.DoesNotContain("DateTime", text, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Product", "LOG-4")]
    public void Instants_in_rows_are_text_or_integers() => Assert.All(
        typeof(NextGpt.Conversations.Index.TurnRow).GetProperties(),
        property => Assert.True(
            property.PropertyType == typeof(string) || property.PropertyType == typeof(long) || property.PropertyType == typeof(int),
            property.Name));

    private static SortedSet<string> MembersUsed()
    {
        using var portable = Open(out var metadata);
        var used = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var handle in metadata.MemberReferences)
        {
            var member = metadata.GetMemberReference(handle);
            if (ParentOf(metadata, member.Parent) is { } type)
            {
                used.Add($"{type}.{metadata.GetString(member.Name)}");
            }
        }

        return used;
    }

    private static List<string> TypesUsed()
    {
        using var portable = Open(out var metadata);
        return
        [
            .. metadata.TypeReferences.Select(metadata.GetTypeReference)
                .Where(type => metadata.GetString(type.Namespace).StartsWith("LiteDB", StringComparison.Ordinal))
                .Select(type => metadata.GetString(type.Name)),
        ];
    }

    private static PEReader Open(out MetadataReader metadata)
    {
        var portable = new PEReader(File.OpenRead(typeof(ConversationLog).Assembly.Location));
        metadata = portable.GetMetadataReader();
        return portable;
    }

    // The LiteDB type a member belongs to, or null; generic types hide in a signature.
    private static string? ParentOf(MetadataReader metadata, EntityHandle parent)
    {
        if (parent.Kind is HandleKind.TypeSpecification)
        {
            var signature = metadata.GetBlobReader(
                metadata.GetTypeSpecification((TypeSpecificationHandle)parent).Signature);
            if (signature.ReadSignatureTypeCode() is not SignatureTypeCode.GenericTypeInstance)
            {
                return null;
            }

            signature.ReadByte();   // class or value type
            parent = signature.ReadTypeHandle();
        }

        if (parent.Kind is not HandleKind.TypeReference)
        {
            return null;
        }

        var type = metadata.GetTypeReference((TypeReferenceHandle)parent);
        return metadata.GetString(type.Namespace).StartsWith("LiteDB", StringComparison.Ordinal)
            ? metadata.GetString(type.Name)
            : null;
    }

    private static string RepositoryRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "NextGpt.Chat.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("Not inside the repository.");
        }

        return folder;
    }
}
