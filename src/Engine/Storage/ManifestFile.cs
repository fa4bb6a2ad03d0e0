using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Signpost.Engine.Base;

namespace Signpost.Engine.Storage;

/// <summary>
/// <see cref="CollectionManifest"/> as a file: <c>{"signpost":"manifest","format":2,"crc32c":"e3069283","manifest":{...}}</c> and
/// a line feed. The checksum is that of the bytes of the inner object; everything around them is fixed, so that no byte of the file
/// may change unnoticed. The format is 3 where the manifest has a layout, which older versions do not know, else 2.
/// </summary>
public static class ManifestFile
{
    private const int MaxBytes = 64 << 20;
    private const int CrcDigits = 8;
    private const string LockName = "manifest.lock";
    private const int LockAttempts = 500;
    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(10);

    private static ReadOnlySpan<byte> Start => "{\"signpost\":\"manifest\",\"format\":"u8;

    private static ReadOnlySpan<byte> Before => "{\"signpost\":\"manifest\",\"format\":2,\"crc32c\":\""u8;

    private static ReadOnlySpan<byte> BeforeLayout => "{\"signpost\":\"manifest\",\"format\":3,\"crc32c\":\""u8;

    private static ReadOnlySpan<byte> Between => "\",\"manifest\":"u8;

    private static ReadOnlySpan<byte> After => "}\n"u8;

    private static int CrcOffset => Before.Length;

    private static int BodyOffset => CrcOffset + CrcDigits + Between.Length;

    /// <summary>
    /// Replaces the manifest of <paramref name="folder"/>, atomically and durably. The files that it names must be published before.
    /// </summary>
    /// <returns>Why nothing was written; null when it was.</returns>
    public static Problem? Save(IDisk disk, string folder, CollectionManifest manifest)
    {
        if (manifest.Validate() is { } problem)
        {
            return problem;
        }

        Publish(disk, folder, Format(manifest));
        return null;
    }

    /// <summary>The bytes of the file of a valid <paramref name="manifest"/>.</summary>
    internal static byte[] Format(CollectionManifest manifest)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(manifest, ManifestJson.Default.CollectionManifest);
        return [.. BeforeOf(manifest), .. CrcText(body), .. Between, .. body, .. After];
    }

    /// <summary>Replaces the manifest of <paramref name="folder"/> by one that is in bytes already, atomically and durably.</summary>
    internal static void Publish(IDisk disk, string folder, byte[] bytes) =>
        AtomicFile.Write(disk, PathIn(folder), bytes.Length, file => file.Write(0, bytes));

    /// <summary>
    /// As <see cref="Publish"/>, if the manifest of <paramref name="folder"/> still has the bytes <paramref name="before"/> (null: there is none): a lock
    /// keeps writers apart while they compare and replace. False where it has others.
    /// </summary>
    /// <exception cref="IOException">Somebody keeps the lock, which is needed for a moment only.</exception>
    internal static bool TryReplace(IDisk disk, string folder, byte[]? before, byte[] next, CancellationToken cancel)
    {
        string path = Path.Combine(folder, LockName);
        IDisposable? held = disk.TryLock(path);
        for (int attempt = 1; held is null && attempt < LockAttempts; attempt++)
        {
            cancel.WaitHandle.WaitOne(LockPause);
            cancel.ThrowIfCancellationRequested();
            held = disk.TryLock(path);
        }

        using IDisposable locked = held ?? throw new IOException($"{path}: another process keeps it");
        if (!IsSame(ReadBytes(disk, folder), before))
        {
            return false;
        }

        Publish(disk, folder, next);
        return true;
    }

    /// <summary>Whether two manifests that may be missing are the same, byte for byte.</summary>
    public static bool IsSame(byte[]? one, byte[]? other) => one is null ? other is null : other is not null && one.AsSpan().SequenceEqual(other);

    /// <summary>Reads and verifies the manifest of <paramref name="folder"/>. Refused: a folder without one.</summary>
    /// <exception cref="BadFileException">Cut, flipped or foreign, or its content is not valid.</exception>
    public static Outcome<CollectionManifest> Open(IDisk disk, string folder)
    {
        if (ReadBytes(disk, folder) is { } bytes)
        {
            return Parse(bytes, PathIn(folder));
        }

        return new Problem(
            ProblemCode.NotFound, "collection", folder, $"a folder with a {CollectionManifest.FileName}", "Check the path, or build the collection.");
    }

    /// <summary>The bytes of the manifest of <paramref name="folder"/>, not looked at; null where there is none.</summary>
    internal static byte[]? ReadBytes(IDisk disk, string folder)
    {
        try
        {
            return ReadAll(disk, PathIn(folder));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Verifies the bytes of a manifest.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="path">Name of the file, for the error.</param>
    /// <exception cref="BadFileException">Cut, flipped or foreign, or its content is not valid.</exception>
    public static CollectionManifest Parse(byte[] bytes, string path)
    {
        ReadOnlySpan<byte> file = bytes;
        int bodyEnd = bytes.Length - After.Length;
        if (file.StartsWith(Start) && file[Start.Length..].StartsWith("1,"u8))
        {
            throw new BadFileException(path, Start.Length, "format 1", "2; an older version wrote it: build the collection again");
        }

        bool hasLayout = file.StartsWith(BeforeLayout);
        MustHave(file, 0, hasLayout ? BeforeLayout : Before, path);
        MustHave(file, CrcOffset + CrcDigits, Between, path);
        if (bodyEnd < BodyOffset)
        {
            throw new BadFileException(path, bytes.Length, "the end of the file", "a manifest");
        }

        MustHave(file, bodyEnd, After, path);
        ReadOnlySpan<byte> body = file[BodyOffset..bodyEnd];
        ReadOnlySpan<byte> crc = file.Slice(CrcOffset, CrcDigits);
        if (!crc.SequenceEqual(CrcText(body)))
        {
            throw new BadFileException(path, CrcOffset, $"checksum {Encoding.Latin1.GetString(crc)}", Encoding.ASCII.GetString(CrcText(body)));
        }

        try
        {
            CollectionManifest? manifest = JsonSerializer.Deserialize(body, ManifestJson.Default.CollectionManifest);
            Problem? problem = manifest?.Validate();
            if (problem is null && manifest is not null)
            {
                MustHave(file, 0, BeforeOf(manifest), path);
            }

            return problem is null
                ? manifest ?? throw new BadFileException(path, BodyOffset, "null", "a manifest")
                : throw new BadFileException(path, BodyOffset, $"{problem.What}: {problem.Got}", problem.Expected);
        }
        catch (JsonException e)
        {
            throw new BadFileException(path, BodyOffset + (e.BytePositionInLine ?? 0), e.Message, "a manifest of this version");
        }
    }

    private static ReadOnlySpan<byte> BeforeOf(CollectionManifest manifest) => manifest.Layout is null ? Before : BeforeLayout;

    private static string PathIn(string folder) => Path.Combine(folder, CollectionManifest.FileName);

    private static byte[] CrcText(ReadOnlySpan<byte> body) => Encoding.ASCII.GetBytes($"{Crc32C.Compute(body):x8}");

    private static void MustHave(ReadOnlySpan<byte> file, int offset, ReadOnlySpan<byte> text, string path)
    {
        ReadOnlySpan<byte> rest = file[Math.Min(offset, file.Length)..];
        int same = rest.CommonPrefixLength(text);
        if (same < text.Length)
        {
            string got = same < rest.Length ? $"0x{rest[same]:X2}" : "the end of the file";
            throw new BadFileException(path, Math.Min(offset, file.Length) + same, got, $"0x{text[same]:X2} of '{Encoding.ASCII.GetString(text).TrimEnd()}'");
        }
    }

    private static byte[] ReadAll(IDisk disk, string path)
    {
        using IFileReader file = disk.OpenRead(path);
        if (file.Length > MaxBytes)
        {
            throw new BadFileException(path, MaxBytes, $"{file.Length} bytes", $"a manifest of at most {MaxBytes} bytes");
        }

        byte[] bytes = new byte[file.Length];
        return bytes[..file.Read(0, bytes)];
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(CollectionManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext;
