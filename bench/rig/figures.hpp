// What a measurement hands to the driver: one JSON object a line on stdout.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vigil::bench {

/// The value below which `share` (0..1) of the values lie. `values` must not be empty; they get sorted.
double quantile(std::vector<double>& values, double share);

/// Where figures go. `who` is what was measured, `tasks` under how many.
class Figures {
  public:
    Figures(std::string who, std::size_t tasks) : who_(std::move(who)), tasks_(tasks) {}

    void add(std::string_view row, double value) const;
    /// Two rows, ROW.p50 and ROW.p99. Nothing where there are no values.
    void add_quantiles(const std::string& row, std::vector<double> values) const;
    /// Something for the reader: why a row is missing, how many there were instead.
    void note(std::string_view text) const;

  private:
    std::string who_;
    std::size_t tasks_;
};

}  // namespace vigil::bench
