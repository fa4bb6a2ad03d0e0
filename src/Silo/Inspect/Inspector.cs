using System.Text.Json.Nodes;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;
using Signpost.Silo.Eval;

namespace Signpost.Silo.Inspect;

/// <summary>Describes a file or a collection's folder as a tree of names and values. What is damaged is described as far as it can be read.</summary>
internal sealed class Inspector(Work work)
{
    private readonly IDisk _disk = FileDisk.Instance;

    /// <summary>The first damage found, to be thrown when the description has been shown; null when all is whole.</summary>
    public BadFileException? Damage { get; private set; }

    /// <summary>The description of <paramref name="path"/>.</summary>
    public JsonObject Describe(string path)
    {
        if (Directory.Exists(path))
        {
            return Folder(path);
        }

        if (!File.Exists(path))
        {
            throw new ProblemException(new Problem(ProblemCode.NotFound, "inspect", path, "an existing file or folder", "Check the path."));
        }

        return Path.GetFileName(path) == CollectionManifest.FileName
            ? Manifest(Path.GetDirectoryName(Path.GetFullPath(path))!, ManifestFile.Open(_disk, Path.GetDirectoryName(Path.GetFullPath(path))!).OrThrow())
            : Path.GetExtension(path).ToLowerInvariant() switch
            {
                ".segment" => SegmentOf(path),
                ".codebook" => Quantizer(path),
                ".codes" => CodesOf(path),
                _ when ExactTruth.IsName(path) => Truth(path),
                _ => Vectors(path),
            };
    }

    private JsonObject Folder(string folder)
    {
        CollectionManifest manifest = ManifestFile.Open(_disk, folder).OrThrow();
        JsonObject description = Manifest(folder, manifest);
        if (manifest.Quantizer is { } quantizer)
        {
            description["quantizer_file"] = Guarded(Path.Combine(folder, quantizer.File), Quantizer);
        }

        description["segments"] = new JsonArray([.. manifest.Shards.Select(shard => shard.Segment).Distinct().Select(file => (JsonNode)Guarded(Path.Combine(folder, file), SegmentOf))]);
        if (manifest.Quantizer is not null)
        {
            description["codes_files"] = new JsonArray([.. manifest.Shards.Select(shard => shard.Codes!).Distinct().Select(file => (JsonNode)Guarded(Path.Combine(folder, file), CodesOf))]);
        }

        return description;
    }

    private JsonObject Guarded(string path, Func<string, JsonObject> describe)
    {
        try
        {
            return describe(path);
        }
        catch (BadFileException e)
        {
            Damage ??= e;
            return new JsonObject { ["file"] = path, ["damage"] = e.Message };
        }
        catch (FileNotFoundException)
        {
            Damage ??= new BadFileException(path, 0, "no file", "the file that the manifest names");
            return new JsonObject { ["file"] = path, ["damage"] = "missing" };
        }
    }

    private static JsonObject Manifest(string folder, CollectionManifest manifest) => new()
    {
        ["kind"] = "collection",
        ["folder"] = folder,
        ["name"] = manifest.Name,
        ["vectors"] = manifest.Count,
        ["dim"] = manifest.Dim,
        ["element_type"] = manifest.Type.Word(),
        ["metric"] = manifest.Metric.Word(),
        ["codes"] = Codes(manifest.Quantizer?.Info),
        ["build"] = Build(manifest.R, manifest.Build),
        ["build_seconds"] = manifest.Cost?.Seconds,
        ["build_cpu_seconds"] = manifest.Cost?.CpuSeconds,
        ["shards"] = new JsonArray([.. manifest.Shards.Select(shard => (JsonNode)new JsonObject
        {
            ["id"] = shard.Id,
            ["slot_from"] = shard.SlotFrom,
            ["slot_to"] = shard.SlotTo,
            ["vectors"] = shard.Count,
            ["segment"] = shard.Segment,
            ["codes"] = shard.Codes,
            ["is_part"] = shard.Whole is not null,
        })]),
        ["replaced"] = new JsonArray([.. manifest.Replaced.Select(shard => (JsonNode)shard.Id)]),
    };

    private JsonObject SegmentOf(string path)
    {
        SegmentInspection file = SegmentInspection.Read(_disk, path, work);
        SegmentInfo info = file.Info;
        var description = new JsonObject
        {
            ["kind"] = "segment",
            ["file"] = path,
            ["format_version"] = file.FormatVersion,
            ["bytes"] = file.FileBytes,
            ["header_bytes"] = file.HeaderBytes,
            ["vectors"] = info.Count,
            ["dim"] = info.Dim,
            ["element_type"] = info.Type.Word(),
            ["metric"] = info.Metric.Word(),
            ["entry"] = info.Entry,
            ["slots"] = $"{info.SlotFrom} .. {info.SlotTo - 1}",
            ["checksum"] = $"{file.HeaderCrc:x8}",
            ["build"] = Build(info.R, info.Build),
            ["sections"] = new JsonArray([.. file.Sections.Select(section => (JsonNode)new JsonObject
            {
                ["name"] = section.Name,
                ["offset"] = section.Offset,
                ["length"] = section.Length,
                ["crc32c"] = $"{section.Crc:x8}",
                ["state"] = section.Damage is null ? "ok" : $"damaged: {section.Damage}",
            })]),
        };
        if (file.Sections.FirstOrDefault(s => s.Damage is not null) is { } damaged)
        {
            Damage ??= new BadFileException(path, damaged.Offset, damaged.Damage!, $"{damaged.Name} as written");
            return description;
        }

        using Segment segment = Segment.Open(_disk, path, new SegmentLoad { VerifyVectors = false }, work).OrThrow();
        description["resident_bytes_per_vector"] = Math.Round(segment.Memory.ResidentPerVector, 2);
        description["graph"] = Graph(GraphStatistics.Of(segment.Graph));
        return description;
    }

    private static JsonObject Graph(GraphStatistics graph) => new()
    {
        ["edges"] = graph.Edges,
        ["mean_degree"] = Math.Round(graph.MeanDegree, 3),
        ["without_incoming"] = graph.WithoutIncoming,
        ["reachable_from_entry"] = graph.Reachable,
        ["unreachable"] = graph.Vertices - graph.Reachable,
        ["depth"] = graph.Depth,
        ["vertices_by_degree"] = new JsonArray([.. graph.Degrees.Select(count => (JsonNode)JsonValue.Create(count))]),
    };

    private static JsonObject Quantizer(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        IQuantizer quantizer = QuantizerFile.Parse(bytes, path);
        return new JsonObject
        {
            ["kind"] = "quantizer",
            ["file"] = path,
            ["bytes"] = bytes.Length,
            ["checksum"] = $"{Crc32C.Compute(bytes):x8}",
            ["learned_by"] = quantizer.Kind.ToString().ToLowerInvariant(),
            ["metric"] = quantizer.Metric.Word(),
            ["dim"] = quantizer.Dim,
            ["m"] = quantizer.M,
            ["codewords"] = quantizer.K,
            ["code_bytes"] = quantizer.CodeBytes,
            ["version"] = quantizer.Version,
        };
    }

    private JsonObject CodesOf(string path)
    {
        CodesFileInfo info = CodesFile.ReadInfo(_disk, path);
        CodesFile.Load(_disk, path, info, work).Dispose();
        return new JsonObject
        {
            ["kind"] = "codes",
            ["file"] = path,
            ["bytes"] = new FileInfo(path).Length,
            ["vectors"] = info.Count,
            ["slots"] = $"{info.SlotFrom} .. {info.SlotTo - 1}",
            ["codes"] = Codes(info.Codes),
            ["segment_checksum"] = $"{info.SegmentCrc:x8}",
            ["quantizer_checksum"] = $"{info.QuantizerCrc:x8}",
            ["state"] = "ok",
        };
    }

    private JsonObject Vectors(string path)
    {
        VectorFileInfo info = VectorFile.Verify(path, work);
        return new JsonObject
        {
            ["kind"] = "vectors",
            ["file"] = path,
            ["format"] = info.Format.ToString().ToLowerInvariant(),
            ["bytes"] = info.Bytes,
            ["vectors"] = info.Count,
            ["dim"] = info.Dim,
            ["element_type"] = info.Type?.Word(),
            ["state"] = "ok: every row has this dimension, every component is finite",
        };
    }

    private static JsonObject Truth(string path)
    {
        GroundTruth truth = GroundTruth.Open(path);
        return new JsonObject
        {
            ["kind"] = "ids",
            ["file"] = path,
            ["bytes"] = new FileInfo(path).Length,
            ["rows"] = truth.QueryCount,
            ["ids_per_row"] = truth.K,
            ["has_distances"] = truth.HasDistances,
        };
    }

    private static JsonNode? Codes(CodesInfo? codes) => codes is null ? null : new JsonObject
    {
        ["quantizer"] = codes.Kind.ToString().ToLowerInvariant(),
        ["m"] = codes.M,
        ["codewords"] = codes.K,
        ["code_bytes"] = codes.CodeBytes,
        ["version"] = codes.Version,
    };

    private static JsonObject Build(int r, BuildInfo build) => new()
    {
        ["r"] = r,
        ["l"] = build.L,
        ["c"] = build.C,
        ["seed"] = build.Seed,
        ["library_version"] = build.LibraryVersion,
    };
}
