using System.Buffers;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;
using Signpost.Client.Wire;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests;

/// <summary>Searches as MessagePack, byte by byte; tests/Client.Tests has the same through the client.</summary>
[Collection(UsesDemoCollection.Name)]
public sealed class MessagePackSearchTests(DemoCollection demo, ServerProcess server) : IClassFixture<ServerProcess>
{
    private const string Search = "/v1/collections/demo/search";

    [Fact]
    public async Task MessagePack_gives_the_same_as_json()
    {
        float[][] vectors = demo.QueryVectors(20);
        using HttpResponseMessage json = await server.Http.PostAsJsonAsync(Search, new { vectors, k = 6, l = 40, mode = "codes+rerank", rerank = 20 });
        JsonElement[] expected = [.. JsonDocument.Parse(await json.Content.ReadAsStringAsync()).RootElement.GetProperty("results").EnumerateArray()];
        byte[] answer = await AnswerAsync(Body(Bytes(vectors), writer =>
        {
            Add(writer, "k", 6);
            Add(writer, "l", 40);
            Add(writer, "rerank", 20);
            Add(writer, "mode", "codes+rerank");
            Add(writer, "require", "full");
        }, settings: 5));
        object[] items = (object[])Map(answer)["results"];
        Assert.Equal(expected.Length, items.Length);
        for (int i = 0; i < items.Length; i++)
        {
            var item = (Dictionary<string, object>)items[i];
            Assert.Equal("ok", item["status"]);
            Assert.Equal(
                expected[i].GetProperty("hits").EnumerateArray().Select(h => (h.GetProperty("id").GetUInt64(), h.GetProperty("distance").GetSingle())),
                HitsOf(item));
            Assert.Equal(2L, ((Dictionary<string, object>)item["coverage"])["shards_answered"]);
            Assert.Equal(
                expected[i].GetProperty("stats").GetProperty("distance_computations").GetInt64(),
                ((Dictionary<string, object>)item["stats"])["distance_computations"]);
        }
    }

    [Fact]
    public async Task A_collection_of_bytes_is_asked_with_bytes_or_with_floats()
    {
        using var folder = new TestFolder();
        byte[] rows = [.. Enumerable.Range(0, 200 * 8).Select(i => (byte)(i * i % 251))];
        File.WriteAllBytes(folder.At("base.u8bin"), [.. BitConverter.GetBytes(200), .. BitConverter.GetBytes(8), .. rows]);
        Assert.Equal(0, SignpostProcess.Run(folder, "build", "--data", "base.u8bin", "--out", "bytes", "--quantizer", "none", "--quiet").ExitCode);
        using var bytes = ServerProcess.Of(folder.At("bytes"));
        byte[] row = rows[24..32];

        byte[] own = Body(row, writer => Add(writer, "element_type", "uint8"), settings: 1);
        byte[] floats = Body(Bytes([[.. row.Select(b => (float)b)]]), writer => Add(writer, "dim", 8), settings: 1);
        foreach (byte[] body in new[] { own, floats })
        {
            using HttpResponseMessage response = await PostAsync(bytes, "/v1/collections/bytes/search", body);
            var item = (Dictionary<string, object>)((object[])Map(await response.Content.ReadAsByteArrayAsync())["results"])[0];
            Assert.Contains((3ul, 0f), HitsOf(item));
        }
    }

    [Fact]
    public async Task Each_item_has_its_own_status()
    {
        float[][] vectors = demo.QueryVectors(3);
        vectors[1][5] = float.NaN;
        object[] items = (object[])Map(await AnswerAsync(Body(Bytes(vectors))))["results"];
        Assert.Equal(["ok", "InvalidComponent", "ok"], items.Select(i => ((Dictionary<string, object>)i)["status"]));
        var problem = (Dictionary<string, object>)((Dictionary<string, object>)items[1])["problem"];
        Assert.Equal("InvalidComponent", problem["code"]);
        Assert.Equal(400L, problem["status"]);
        Assert.Contains("row 1", (string)problem["detail"]);
        Assert.DoesNotContain("hits", ((Dictionary<string, object>)items[1]).Keys);
    }

    [Fact]
    public async Task What_is_nil_is_as_if_it_were_left_out()
    {
        byte[] body = Body(Bytes(demo.QueryVectors(1)), writer =>
        {
            writer.Write("k");
            writer.WriteNil();
            writer.Write("mode");
            writer.WriteNil();
        }, settings: 2);
        Assert.Equal(10, HitsOf((Dictionary<string, object>)((object[])Map(await AnswerAsync(body))["results"])[0]).Length);
    }

    [Theory]
    [InlineData("", "InvalidArgument", "the end at byte 0")]
    [InlineData("93010203", "InvalidArgument", "0x93 (Array) at byte 0")]
    [InlineData("80", "WrongDimension", "0 bytes")]
    [InlineData("8000", "InvalidArgument", "more bytes at byte 1")]
    [InlineData("81A26B6B05", "InvalidArgument", "'kk' at byte 1")]
    [InlineData("81A16BA131", "InvalidArgument", "0xA1 (String) at byte 3")]
    [InlineData("81A7766563746F7273C403010203", "WrongDimension", "3 bytes")]
    [InlineData("81A7766563746F7273C6FFFFFFFF01", "InvalidArgument", "a length of 4294967295 bytes at byte 10")]
    [InlineData("81A364696D08", "WrongDimension", "8 components")]
    [InlineData("81AC656C656D656E745F74797065A5696E743634", "InvalidArgument", "'int64'")]
    public async Task A_malformed_body_is_refused_with_the_place(string hex, string code, string got)
    {
        using HttpResponseMessage response = await PostAsync(server, Search, Convert.FromHexString(hex));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        JsonElement problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.Equal(got, problem.GetProperty("got").GetString());
    }

    [Fact]
    public async Task Every_cut_of_a_request_is_refused()
    {
        byte[] body = Body(Bytes(demo.QueryVectors(1)), writer => Add(writer, "k", 3), settings: 1);
        for (int cut = 0; cut < body.Length; cut++)
        {
            using HttpResponseMessage response = await PostAsync(server, Search, body[..cut]);
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        }

        await AnswerAsync(body);
        Assert.Equal("", server.Error);
    }

    [Fact]
    public async Task A_flipped_bit_of_a_request_is_answered_or_refused()
    {
        byte[] body = Body(Bytes(demo.QueryVectors(1)), writer =>
        {
            Add(writer, "k", 3);
            Add(writer, "mode", "exact");
        }, settings: 2);
        var statuses = new HashSet<HttpStatusCode>();
        for (int bit = 0; bit < 8 * body.Length; bit++)
        {
            byte[] flipped = [.. body];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            using HttpResponseMessage response = await PostAsync(server, Search, flipped);
            statuses.Add(response.StatusCode);
        }

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.BadRequest], statuses.Order());
        Assert.Equal("", server.Error);
    }

    private static byte[] Bytes(float[][] vectors) => MemoryMarshal.AsBytes(vectors.SelectMany(v => v).ToArray().AsSpan()).ToArray();

    private static byte[] Body(byte[] vectors, Action<MessagePackWriter>? more = null, int settings = 0)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(1 + settings);
        more?.Invoke(writer);
        writer.Write("vectors");
        writer.Write(vectors);
        return output.WrittenSpan.ToArray();
    }

    private static void Add(MessagePackWriter writer, string name, long value)
    {
        writer.Write(name);
        writer.Write(value);
    }

    private static void Add(MessagePackWriter writer, string name, string value)
    {
        writer.Write(name);
        writer.Write(value);
    }

    private static Dictionary<string, object> Map(byte[] bytes)
    {
        var reader = new MessagePackReader(bytes);
        var map = (Dictionary<string, object>)Value(ref reader);
        Assert.True(reader.IsAtEnd);
        return map;
    }

    private static object Value(ref MessagePackReader reader)
    {
        switch (reader.Next)
        {
            case MessagePackKind.Array:
                object[] array = new object[reader.ReadArrayHeader()];
                for (int i = 0; i < array.Length; i++)
                {
                    array[i] = Value(ref reader);
                }

                return array;
            case MessagePackKind.Map:
                var map = new Dictionary<string, object>();
                for (int pairs = reader.ReadMapHeader(); pairs > 0; pairs--)
                {
                    map.Add(reader.ReadString(), Value(ref reader));
                }

                return map;
            case MessagePackKind.Integer:
                return reader.ReadInt64();
            case MessagePackKind.Float:
                return reader.ReadDouble();
            case MessagePackKind.Boolean:
                return reader.ReadBoolean();
            case MessagePackKind.String:
                return reader.ReadString();
            default:
                return reader.ReadBinary().ToArray();
        }
    }

    private static (ulong Id, float Distance)[] HitsOf(Dictionary<string, object> item)
    {
        byte[] block = (byte[])item["hits"];
        return [.. Enumerable.Range(0, block.Length / 12).Select(i => (BitConverter.ToUInt64(block, i * 12), BitConverter.ToSingle(block, (i * 12) + 8)))];
    }

    private static async Task<HttpResponseMessage> PostAsync(ServerProcess to, string path, byte[] body)
    {
        using var content = new ByteArrayContent(body) { Headers = { ContentType = new("application/msgpack") } };
        return await to.Http.PostAsync(path, content);
    }

    private async Task<byte[]> AnswerAsync(byte[] body)
    {
        using HttpResponseMessage response = await PostAsync(server, Search, body);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        Assert.Equal("application/msgpack", response.Content.Headers.ContentType?.MediaType);
        return await response.Content.ReadAsByteArrayAsync();
    }
}
