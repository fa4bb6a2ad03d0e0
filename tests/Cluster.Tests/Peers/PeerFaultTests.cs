using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Grains.Wire;
using Signpost.Silo.Peers;

namespace Signpost.Cluster.Tests.Peers;

/// <summary>Whatever the other end does, a call ends, with a failure that names the silo; and the next one is answered when all is well again.</summary>
public sealed class PeerFaultTests : PeerTest
{
    private ReplicaId Replica => new(new ShardId("test", 0), Silo.Id);

    [Fact]
    public async Task A_silo_that_is_not_there_fails_its_calls()
    {
        using var client = new RemoteShardClient(_ => new Uri("http://127.0.0.1:1"), Limits);

        await FailureAsync(() => SearchAsync(client, Silo.Id));
        await FailureAsync(() => client.SampleAsync(Replica, 1, 1, default).AsTask());
        await FailureAsync(() => client.PrepareCodesAsync(Replica, "x", Work.Quiet).AsTask());
    }

    [Fact]
    public async Task A_silo_that_accepts_and_never_says_a_word_fails_its_calls()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var client = new RemoteShardClient(_ => new Uri($"http://{silent.LocalEndpoint}"), Limits);

        await FailureAsync(() => SearchAsync(client, Silo.Id));
        await FailureAsync(() => client.PrepareCodesAsync(Replica, "x", Work.Quiet).AsTask());
    }

    [Fact]
    public async Task A_connection_that_goes_dead_fails_what_is_under_way_and_a_new_one_is_made()
    {
        using var proxy = new TcpProxy(Silo.Address.Port);
        using var client = new RemoteShardClient(_ => new Uri($"http://127.0.0.1:{proxy.Port}"), Limits);
        await SearchAsync(client, Silo.Id);
        (await client.SampleAsync(Replica, 1, 1, default)).Dispose();

        proxy.Silence();
        Task<string>[] failures =
        [
            .. Enumerable.Range(0, 20).Select(row => FailureAsync(() => SearchAsync(client, Silo.Id, row))),
            FailureAsync(() => client.SampleAsync(Replica, 1, 1, default).AsTask()),
            FailureAsync(() => client.PrepareCodesAsync(Replica, "x", Work.Quiet).AsTask()),
        ];
        await Task.WhenAll(failures);
        proxy.Mend();

        await SearchAsync(client, Silo.Id);
        (await client.SampleAsync(Replica, 1, 1, default)).Dispose();
    }

    [Fact]
    public async Task A_connection_that_is_cut_fails_what_is_under_way_and_a_new_one_is_made()
    {
        using var proxy = new TcpProxy(Silo.Address.Port);
        using var client = new RemoteShardClient(_ => new Uri($"http://127.0.0.1:{proxy.Port}"), Limits);
        using (new Blocker(Silo.Threads, 2))
        {
            Task<string>[] failures = [.. Enumerable.Range(0, 20).Select(row => FailureAsync(() => SearchAsync(client, Silo.Id, row)))];
            await Task.Delay(50);
            proxy.Cut();
            await Task.WhenAll(failures);
        }

        proxy.Mend();
        await SearchAsync(client, Silo.Id);
    }

    [Fact]
    public async Task A_silo_that_lives_and_never_answers_fails_a_search_soon_after_its_deadline()
    {
        await using StrangePeer deaf = await StrangePeer.StartAsync(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        using var client = new RemoteShardClient(_ => deaf.Address, Limits);
        Deadline deadline = Deadline.After(TimeSpan.FromMilliseconds(100));

        // More than travel at once: those that wait for the first ones are answered, that there was no time for them.
        Task[] calls = [.. Enumerable.Range(0, 10).Select(row => SearchAsync(client, Silo.Id, row, deadline).ContinueWith(Check, TaskScheduler.Default))];
        await Task.WhenAll(calls);

        void Check(Task<ShardAnswer> call) => Assert.True(call.Exception?.InnerException is IOException || call.Result.Stats.DeadlineReached);
    }

    [Fact]
    public async Task An_answer_that_is_cut_on_the_way_is_a_failure()
    {
        await using StrangePeer peer = await StrangePeer.StartAsync(async context =>
        {
            context.Response.ContentType = Message.ContentType;
            context.Response.ContentLength = 1000;
            await context.Response.Body.WriteAsync(new byte[300]);
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        using var client = new RemoteShardClient(_ => peer.Address, Limits);

        await FailureAsync(() => SearchAsync(client, Silo.Id));
        await FailureAsync(() => client.SampleAsync(Replica, 1, 1, default).AsTask());
    }

    [Fact]
    public async Task An_answer_that_stops_on_the_way_is_a_failure()
    {
        await using StrangePeer peer = await StrangePeer.StartAsync(async context =>
        {
            context.Response.ContentType = Message.ContentType;
            context.Response.ContentLength = 1000;
            await context.Response.Body.WriteAsync(new byte[300]);
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        using var client = new RemoteShardClient(_ => peer.Address, Limits);

        await FailureAsync(() => SearchAsync(client, Silo.Id, 3, Deadline.After(TimeSpan.FromMilliseconds(100))));
    }

    [Fact]
    public async Task A_program_that_is_no_silo_is_a_failure()
    {
        foreach ((int status, string type, string body) in ((int, string, string)[])
            [(200, "text/html", "<html>"), (200, Message.ContentType, "hello"), (200, Message.ContentType, ""), (404, "text/plain", "?"), (500, "application/problem+json", "{}"), (204, "", "")])
        {
            await using StrangePeer peer = await StrangePeer.StartAsync(async context =>
            {
                context.Response.StatusCode = status;
                context.Response.ContentType = type;
                if (status != 204)
                {
                    context.Response.ContentLength = body.Length;
                    await context.Response.WriteAsync(body);
                }
            });
            using var client = new RemoteShardClient(_ => peer.Address, Limits);
            await FailureAsync(() => SearchAsync(client, Silo.Id));
            await FailureAsync(() => client.SampleAsync(Replica, 1, 1, default).AsTask());
            await FailureAsync(() => client.EndTracesAsync(Replica, default).AsTask());
        }
    }

    [Fact]
    public async Task A_program_that_does_not_speak_http_is_a_failure()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var thread = new Thread(() =>
        {
            try
            {
                while (true)
                {
                    using Socket socket = listener.AcceptSocket();
                    socket.Send(Encoding.ASCII.GetBytes("+PONG\r\n and a lot of other words that are no frame of HTTP\r\n"));
                    socket.Receive(new byte[1000]);
                }
            }
            catch (Exception e) when (e is SocketException or InvalidOperationException)
            {
                // the end of the test
            }
        })
        { IsBackground = true };
        thread.Start();
        using var client = new RemoteShardClient(_ => new Uri($"http://{listener.LocalEndpoint}"), Limits);

        await FailureAsync(() => SearchAsync(client, Silo.Id));
        await FailureAsync(() => client.SampleAsync(Replica, 1, 1, default).AsTask());
    }

    [Fact]
    public async Task An_answer_that_is_cut_anywhere_or_has_any_bytes_in_it_is_a_failure_or_an_answer_in_order()
    {
        byte[] good = await Silo.Shards.SearchAsync(
            SearchCodec.Join(Silo.Id, [(SearchCodec.Write(Asked(3, new SearchParameters(10, 40)), Limits), null)]), default);
        byte[] sent = good;
        await using StrangePeer peer = await StrangePeer.StartAsync(async context =>
        {
            context.Response.ContentType = Message.ContentType;
            context.Response.ContentLength = sent.Length;
            await context.Response.Body.WriteAsync(sent);
        });
        using var client = new RemoteShardClient(_ => peer.Address, Limits);
        Assert.Equal(10, (await SearchAsync(client, Silo.Id)).Hits.Length);

        for (int length = 0; length < good.Length; length++)
        {
            sent = good[..length];
            await FailureAsync(() => SearchAsync(client, Silo.Id));
        }

        var random = new Seeded(5, 0);
        for (int i = 0; i < 500; i++)
        {
            sent = [.. good];
            sent[random.Next(sent.Length)] = (byte)random.Next(256);
            try
            {
                ShardAnswer answer = await SearchAsync(client, Silo.Id);
                Assert.True(answer.Hits.Length <= 10 && answer.Hits.ToArray().Order().SequenceEqual(answer.Hits.ToArray()));
            }
            catch (IOException)
            {
                // found out
            }
        }
    }
}
