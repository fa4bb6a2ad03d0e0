using System.Text;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Cluster;

public class TrainingRecordTests
{
    private static readonly TrainingRecord Record = new()
    {
        Collection = "docs",
        Silo = "silo-1",
        Epoch = 7,
        Number = 3,
        Order = TrainingOrder.Of(new RpqMethod(RpqOptions.Best with { ClipNorm = double.PositiveInfinity }), 2),
        State = TrainingState.Failed,
        Step = TrainingStep.Opening,
        Reason = "why",
        Files = ["a.codes", "b.codes"],
        Points = [new TrainingPoint(0, null, 0.5), new TrainingPoint(1, double.NaN, null)],
    };

    [Fact]
    public void A_record_is_read_as_it_was_written_and_its_note_is_without_files()
    {
        TrainingRecord read = TrainingRecord.Read(Record.Write())!;
        Assert.Equal(Record with { Files = [], Points = [] }, read with { Files = [], Points = [] });
        Assert.Equal(Record.Files, read.Files);
        Assert.Equal(Record.Points, read.Points);
        TrainingRecord note = TrainingRecord.Read(Encoding.UTF8.GetBytes(Record.WriteNote()))!;
        Assert.Empty(note.Files);
        Assert.Equal(Record.Points, note.Points);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[1]")]
    public void What_is_no_record_is_none(string text) => Assert.Null(TrainingRecord.Read(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void A_record_of_another_version_of_the_program_is_none()
    {
        string text = Encoding.UTF8.GetString(Record.Write());
        Assert.Null(TrainingRecord.Read(Encoding.UTF8.GetBytes(text.Replace("\"silo\":", "\"newer\":1,\"silo\":", StringComparison.Ordinal))));
        Assert.Null(TrainingRecord.Read(Encoding.UTF8.GetBytes(text.Replace("\"Failed\"", "\"Unheard\"", StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData(10)] // steps between two looks at the graph
    [InlineData(1)]
    public void Curves_stay_short_and_keep_their_first_points_and_their_order(int refresh)
    {
        TrainingRecord record = Record with { Points = [] };
        for (int step = 0; step < 5000; step++)
        {
            record = step % refresh == 0 ? record.With(new TrainingPoint(step, null, step)) : record.With(new TrainingPoint(step, step, null));
            Assert.True(record.Points.Count <= TrainingRecord.PointsMax);
        }

        Assert.Equal(record.Points.Select(point => point.Step).Order(), record.Points.Select(point => point.Step));
        Assert.Equal(0, record.Points.First(point => point.Recall is not null).Step);
        Assert.True(record.Points[^1].Step > 4900);
        Assert.Equal(refresh > 1 ? 1 : 0, record.Points.FirstOrDefault(point => point.Loss is not null).Step);
    }

    [Fact]
    public void An_order_is_of_its_method()
    {
        QuantizerMethod[] methods = [new RpqMethod(RpqOptions.Best), new VectorQuantizerMethod(QuantizerKind.Opq, new QuantizerOptions { M = 3, Seed = 9 })];
        Assert.All(methods, method => Assert.Equal(method, TrainingOrder.Read(TrainingOrder.Of(method, 2).Write()).Method));
    }
}
