#include "base/duration_histogram.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using vigil::DurationHistogram;
using vigil::RecentDurations;

namespace {

constexpr RecentDurations::TimePoint kStart{1000s};

}  // namespace

TEST_CASE("a histogram that counted nothing says so") {
    const DurationHistogram none;
    CHECK(none.count() == 0);
    CHECK(none.max() == 0ns);
    CHECK(none.quantile(0.99) == 0ns);
}

TEST_CASE("a quantile is never below the truth, and at most a quarter above") {
    std::mt19937_64 random(7);
    std::lognormal_distribution<double> lengths(9, 3);
    std::vector<std::int64_t> values;
    DurationHistogram histogram;
    for (int i = 0; i < 20'000; ++i) {
        values.push_back(static_cast<std::int64_t>(lengths(random)));
        histogram.add(DurationHistogram::Duration(values.back()));
    }
    std::sort(values.begin(), values.end());
    for (const double part : {0.0001, 0.1, 0.5, 0.9, 0.99, 0.9999, 1.0}) {
        CAPTURE(part);
        const auto truth = values[static_cast<std::size_t>(part * 20'000) - 1];
        const auto told = histogram.quantile(part).count();
        CHECK(told >= truth);
        CHECK(told <= truth + truth / 4 + 1);
    }
    CHECK(histogram.count() == values.size());
    CHECK(histogram.max().count() == values.back());
    CHECK(histogram.quantile(1).count() == values.back());
}

TEST_CASE("the shortest and the longest durations there are have buckets") {
    DurationHistogram histogram;
    for (const auto duration : {-5ns, 0ns, 1ns, 3ns, 4ns, DurationHistogram::Duration::max()})
        histogram.add(duration);
    CHECK(histogram.quantile(0.3) == 0ns);
    CHECK(histogram.quantile(0.5) == 1ns);
    CHECK(histogram.quantile(0.6) == 3ns);
    CHECK(histogram.quantile(0.8) == 4ns);
    CHECK(histogram.quantile(1) == DurationHistogram::Duration::max());
}

TEST_CASE("two histograms together are one of all that both counted") {
    DurationHistogram a;
    DurationHistogram b;
    for (int i = 0; i < 99; ++i) a.add(10us);
    b.add(1s);
    a.add(b);
    CHECK(a.count() == 100);
    CHECK(a.quantile(0.99) < 13us);
    CHECK(a.quantile(1) == 1s);
}

TEST_CASE("recent is what came in the last one to two windows, and nothing older") {
    RecentDurations recent(60s);
    recent.add(1ms, kStart);
    CHECK(recent.at(kStart + 59s).count() == 1);
    recent.add(2ms, kStart + 61s);
    CHECK(recent.at(kStart + 61s).count() == 2);
    recent.add(3ms, kStart + 122s);
    CHECK(recent.at(kStart + 122s).count() == 2);
    CHECK(recent.at(kStart + 122s).max() == 3ms);
    CHECK(recent.at(kStart + 122s).quantile(0.01) >= 2ms);
    // Nobody added anything for long.
    CHECK(recent.at(kStart + 190s).count() == 1);
    CHECK(recent.at(kStart + 300s).count() == 0);
    recent.add(4ms, kStart + 900s);
    CHECK(recent.at(kStart + 900s).count() == 1);
}
