using Microsoft.OpenApi;
using Signpost.Client.Wire;

namespace Signpost.Silo.Http;

/// <summary>What the OpenAPI document cannot see for itself.</summary>
internal static class OpenApi
{
    private const string Forms =
        "JSON: one of vector and vectors; with vectors each item of the answer has its own status. "
        + "application/msgpack: a map of vectors (a byte block of rows of float32, or of the collection's element type where element_type names it), "
        + "dim, k, l, mode, rerank, timeout_ms, require; only vectors is needed. The answer is a map of results and took_ms as in JSON with vectors, but "
        + "that hits is a byte block of u64 id, f32 distance for each hit. "
        + "application/octet-stream: rows of the collection's element type; settings in the query string. The answer: "
        + "u32 count, u32 k, u64 ids[count, k], f32 distances[count, k]; unused places hold id 2^64 - 1 and positive infinity. "
        + "Headers Signpost-Shards-Answered and Signpost-Shards tell the least coverage. "
        + "Rows stand one after the other without gaps; numbers in blocks are little-endian.";

    private static readonly (string Name, JsonSchemaType Type, string Meaning)[] QueryParameters =
    [
        ("k", JsonSchemaType.Integer, Settings.K.Expected),
        ("l", JsonSchemaType.Integer, Settings.L.Expected),
        ("mode", JsonSchemaType.String, Settings.Mode.Expected),
        ("rerank", JsonSchemaType.Integer, "k .. l"),
        ("timeout_ms", JsonSchemaType.Integer, "deadline, milliseconds"),
        ("require", JsonSchemaType.String, "partial | full"),
    ];

    private static OpenApiSchema Bytes => new() { Type = JsonSchemaType.String, Format = "binary" };

    /// <summary>Describes the search endpoint: the forms of its body, the settings of the bare one, the refusals.</summary>
    public static void DescribeSearch(RouteHandlerBuilder search) => search
        .WithSummary("The stored vectors nearest to one vector or to several.")
        .WithDescription(Forms)
        .Accepts<SearchBody>("application/json", SearchFields.ContentType, BinaryForm.MediaType)
        .Produces<SingleReply>()
        .Produces<ProblemReply>(StatusCodes.Status400BadRequest, Problems.ContentType)
        .Produces<ProblemReply>(StatusCodes.Status404NotFound, Problems.ContentType)
        .Produces<ProblemReply>(StatusCodes.Status413PayloadTooLarge, Problems.ContentType)
        .Produces<ProblemReply>(StatusCodes.Status503ServiceUnavailable, Problems.ContentType)
        .AddOpenApiOperationTransformer(async (operation, context, cancel) =>
        {
            foreach (string type in new[] { SearchFields.ContentType, BinaryForm.MediaType })
            {
                if (operation.RequestBody?.Content?.TryGetValue(type, out OpenApiMediaType? body) == true)
                {
                    body.Schema = Bytes;
                }
            }

            operation.Parameters ??= [];
            foreach ((string name, JsonSchemaType type, string meaning) in QueryParameters)
            {
                operation.Parameters.Add(new OpenApiParameter
                {
                    Name = name,
                    In = ParameterLocation.Query,
                    Description = $"Of {BinaryForm.MediaType}: {meaning}.",
                    Schema = new OpenApiSchema { Type = type },
                });
            }

            if (operation.Responses?.TryGetValue("200", out IOpenApiResponse? ok) == true && ok.Content is { } content)
            {
                content["application/json"].Schema = new OpenApiSchema
                {
                    OneOf =
                    [
                        content["application/json"].Schema!,
                        await context.GetOrCreateSchemaAsync(typeof(BatchReply), null, cancel),
                    ],
                };
                content[SearchFields.ContentType] = new OpenApiMediaType { Schema = Bytes };
                content[BinaryForm.MediaType] = new OpenApiMediaType { Schema = Bytes };
            }
        });
}
