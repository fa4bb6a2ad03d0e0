using Microsoft.OpenApi;

namespace Signpost.Silo.Http;

/// <summary>What the OpenAPI document cannot see for itself.</summary>
internal static class OpenApi
{
    private const string Binary =
        "Rows of the collection's element type, little-endian, one after the other; settings in the query string. The answer, little-endian: "
        + "u32 count, u32 k, u64 ids[count, k], f32 distances[count, k]; unused places hold id 2^64 - 1 and positive infinity. "
        + "Headers Signpost-Shards-Answered and Signpost-Shards tell the least coverage.";

    private static readonly (string Name, JsonSchemaType Type, string Meaning)[] QueryParameters =
    [
        ("k", JsonSchemaType.Integer, Settings.K.Expected),
        ("l", JsonSchemaType.Integer, Settings.L.Expected),
        ("mode", JsonSchemaType.String, Settings.Mode.Expected),
        ("rerank", JsonSchemaType.Integer, "k .. l"),
        ("timeout_ms", JsonSchemaType.Integer, "deadline, milliseconds"),
        ("require", JsonSchemaType.String, "any | full"),
    ];

    /// <summary>Describes the search endpoint: two forms of body, the settings of the binary one, the refusals.</summary>
    public static void DescribeSearch(RouteHandlerBuilder search) => search
        .WithSummary("The stored vectors nearest to one vector or to several.")
        .WithDescription("JSON: one of vector and vectors; with vectors each item of the answer has its own status. " + Binary)
        .Accepts<SearchBody>("application/json", BinaryBatch.ContentType)
        .Produces<SingleReply>()
        .Produces<ProblemReply>(StatusCodes.Status400BadRequest, Problems.ContentType)
        .Produces<ProblemReply>(StatusCodes.Status404NotFound, Problems.ContentType)
        .Produces<ProblemReply>(StatusCodes.Status413PayloadTooLarge, Problems.ContentType)
        .Produces<ProblemReply>(StatusCodes.Status503ServiceUnavailable, Problems.ContentType)
        .AddOpenApiOperationTransformer(async (operation, context, cancel) =>
        {
            if (operation.RequestBody?.Content?.TryGetValue(BinaryBatch.ContentType, out OpenApiMediaType? body) == true)
            {
                body.Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" };
            }

            operation.Parameters ??= [];
            foreach ((string name, JsonSchemaType type, string meaning) in QueryParameters)
            {
                operation.Parameters.Add(new OpenApiParameter
                {
                    Name = name,
                    In = ParameterLocation.Query,
                    Description = $"Of a binary batch: {meaning}.",
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
                content[BinaryBatch.ContentType] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" } };
            }
        });
}
