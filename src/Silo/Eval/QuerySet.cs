using System.Globalization;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;

namespace Signpost.Silo.Eval;

/// <summary>Query vectors from files, in the form that a collection asks for.</summary>
internal static class QuerySet
{
    /// <summary>
    /// The vectors of <paramref name="path"/> with <paramref name="dim"/> components of <paramref name="type"/>, converted where the file has
    /// another type. The first row that cannot be asked is refused by its number.
    /// </summary>
    public static VectorBlock Open(string path, int dim, ElementType type, Metric metric)
    {
        VectorBlock file = VectorFile.Open(path);
        if (file.Dim != dim || file.Count == 0)
        {
            (long count, int got) = (file.Count, file.Dim);
            file.Dispose();
            throw new ProblemException(new Problem(
                ProblemCode.WrongDimension, $"queries of {path}", $"{count} of dim {got}", $"at least one of dim {dim}",
                "Take the queries that belong to this data."));
        }

        return file.Type == type ? file : Convert(file, path, type, metric);
    }

    /// <summary>One vector written as numbers between commas.</summary>
    public static VectorBlock Parse(string text, OpenCollection collection)
    {
        string[] parts = text.Split([',', ' '], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        float[] row = new float[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!float.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out row[i]))
            {
                throw new ProblemException(new Problem(ProblemCode.InvalidArgument, $"--query, component {i}", $"'{parts[i]}'", "a number", "Write numbers between commas."));
            }
        }

        using Query query = collection.NewQuery();
        return query.Set(row) is { } problem ? throw new ProblemException(problem) : RowOf(query);
    }

    private static unsafe VectorBlock RowOf(Query query)
    {
        VectorBlock block = VectorBlock.Allocate(1, query.Dim, query.Type);
        new ReadOnlySpan<byte>(query.Row, block.RowBytes).CopyTo(new Span<byte>(block.First, block.RowBytes));
        return block;
    }

    private static unsafe VectorBlock Convert(VectorBlock file, string path, ElementType type, Metric metric)
    {
        using (file)
        {
            using var query = new Query(file.Dim, type, metric);
            VectorBlock converted = VectorBlock.Allocate(file.Count, file.Dim, type);
            float[] row = new float[file.Dim];
            for (long i = 0; i < file.Count; i++)
            {
                file.CopyRow(i, row);
                if (query.Set(row) is { } problem)
                {
                    converted.Dispose();
                    throw new ProblemException(problem with { What = $"query {i} of {path}, {problem.What}" });
                }

                new ReadOnlySpan<byte>(query.Row, converted.RowBytes).CopyTo(new Span<byte>(converted.Row(i), converted.RowBytes));
            }

            return converted;
        }
    }
}
