using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Signpost.Silo.Tests.Support;

/// <summary>A span as a collector gets it.</summary>
internal sealed record ReceivedSpan(string Resource, string Scope, string Name, string TraceId, string SpanId, string ParentSpanId);

/// <summary>A collector that takes OTLP over HTTP (protobuf) on a free port of this machine, and reads the names in it.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OtlpReceiver(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    public ConcurrentBag<ReceivedSpan> Spans { get; } = [];

    /// <summary>Metrics: service instance, scope, name.</summary>
    public ConcurrentBag<(string Resource, string Scope, string Name)> Metrics { get; } = [];

    /// <summary>What was not as it must be.</summary>
    public ConcurrentBag<string> Faults { get; } = [];

    public static async Task<OtlpReceiver> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        var receiver = new OtlpReceiver(app);
        app.MapPost("/v1/metrics", context => receiver.TakeAsync(context, receiver.TakeMetrics));
        app.MapPost("/v1/traces", context => receiver.TakeAsync(context, receiver.TakeSpans));
        await app.StartAsync();
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context, Action<string, string, ProtobufField> take)
    {
        try
        {
            Assert.Equal("application/x-protobuf", context.Request.ContentType);
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            foreach (ProtobufField ofResource in ProtobufField.In(body.ToArray()).Where(field => field.Number == 1))
            {
                TakeResource([.. ProtobufField.In(ofResource.Bytes)], take);
            }
        }
        catch (Exception e)
        {
            Faults.Add(e.ToString());
        }

        context.Response.ContentType = "application/x-protobuf"; // an empty message: all was taken
    }

    private static void TakeResource(ProtobufField[] fields, Action<string, string, ProtobufField> take)
    {
        string resource = string.Join(';', fields.Where(f => f.Number == 1).SelectMany(f => ProtobufField.In(f.Bytes)).Where(f => f.Number == 1).Select(Attribute));
        foreach (ProtobufField ofScope in fields.Where(field => field.Number == 2))
        {
            ProtobufField[] inScope = [.. ProtobufField.In(ofScope.Bytes)];
            string scope = ProtobufField.In(inScope.First(f => f.Number == 1).Bytes).First(f => f.Number == 1).Text;
            foreach (ProtobufField item in inScope.Where(field => field.Number == 2))
            {
                take(resource, scope, item);
            }
        }
    }

    private static string Attribute(ProtobufField attribute)
    {
        ProtobufField[] pair = [.. ProtobufField.In(attribute.Bytes)];
        ProtobufField value = ProtobufField.In(pair.First(f => f.Number == 2).Bytes).First();
        return $"{pair.First(f => f.Number == 1).Text}={(value.Number == 1 ? value.Text : value.Value.ToString(CultureInfo.InvariantCulture))}";
    }

    private void TakeMetrics(string resource, string scope, ProtobufField metric) =>
        Metrics.Add((resource, scope, ProtobufField.In(metric.Bytes).First(field => field.Number == 1).Text));

    private void TakeSpans(string resource, string scope, ProtobufField span)
    {
        ProtobufField[] fields = [.. ProtobufField.In(span.Bytes)];
        Spans.Add(new ReceivedSpan(resource, scope, fields.First(f => f.Number == 5).Text, Hex(1), Hex(2), Hex(4)));

        string Hex(int number) => Convert.ToHexStringLower(fields.FirstOrDefault(f => f.Number == number)?.Bytes ?? []);
    }

    /// <summary>A field of a protobuf message.</summary>
    private sealed record ProtobufField(int Number, ulong Value, byte[] Bytes)
    {
        public string Text => new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Bytes);

        /// <summary>The fields of a message, in their order; fails where it is none.</summary>
        public static IEnumerable<ProtobufField> In(byte[] message)
        {
            for (int at = 0; at < message.Length;)
            {
                ulong key = Varint(message, ref at);
                int number = (int)(key >> 3);
                int wireType = (int)(key & 7);
                int length = wireType switch { 0 => 0, 1 => 8, 5 => 4, 2 => (int)Varint(message, ref at), _ => throw new InvalidDataException($"wire type {wireType}") };
                ulong value = wireType == 0 ? Varint(message, ref at) : 0;
                yield return new ProtobufField(number, value, message[at..(at + length)]);
                at += length;
            }
        }

        private static ulong Varint(byte[] message, ref int at)
        {
            ulong value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte next = message[at++];
                value |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80)
                {
                    return value;
                }
            }
        }
    }
}
