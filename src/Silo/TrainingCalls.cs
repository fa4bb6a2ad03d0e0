using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Silo.Http;

namespace Signpost.Silo;

/// <summary>What is asked of trainings over HTTP, of a silo of a cluster and of one that is alone.</summary>
internal static class TrainingCalls
{
    /// <summary>Begins the training of a collection, or stops it.</summary>
    /// <param name="served">Whose collections may be named.</param>
    /// <param name="trainer">Runs trainings here.</param>
    /// <param name="start">Begins one where the process lets it.</param>
    /// <param name="body">What is asked.</param>
    /// <param name="cancel">Ends the wait.</param>
    public static async ValueTask<Outcome<TrainingReply>> AnswerAsync(
        IServed served, Trainer trainer, Func<string, TrainingOrder, CancellationToken, ValueTask<Outcome<TrainingRecord>>> start, TrainBody body, CancellationToken cancel)
    {
        if (served.Find(body.Collection) is not { } collection)
        {
            return new Problem(
                ProblemCode.NotFound, "collection", body.Collection, string.Join(", ", served.Collections.Select(known => known.Name)), "Name one that is served.");
        }

        Outcome<QuantizerMethod> method = body.Stop ? default : TrainingMethods.Of(body, collection.Dim);
        if (method.Problem is { } problem)
        {
            return problem;
        }

        Outcome<TrainingRecord> outcome = body.Stop
            ? await trainer.StopAsync(body.Collection, cancel)
            : await start(body.Collection, TrainingOrder.Of(method.Value!, body.Threads ?? 1), cancel);
        return outcome.Problem is null ? TrainingReply.Of(outcome.Value!) : outcome.Problem;
    }
}
