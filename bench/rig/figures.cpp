#include "rig/figures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace vigil::bench {
namespace {

void print(const nlohmann::ordered_json& line) {
    std::printf("%s\n", line.dump().c_str());
    std::fflush(stdout);
}

}  // namespace

double quantile(std::vector<double>& values, double share) {
    std::sort(values.begin(), values.end());
    const auto at = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
    return values[std::min(values.size() - 1, at == 0 ? 0 : at - 1)];
}

void Figures::add(std::string_view row, double value) const {
    print({{"who", who_}, {"tasks", tasks_}, {"row", row}, {"value", value}});
}

void Figures::add_quantiles(const std::string& row, std::vector<double> values) const {
    if (values.empty()) return;
    add(row + ".p50", quantile(values, 0.50));
    add(row + ".p99", quantile(values, 0.99));
}

void Figures::note(std::string_view text) const {
    print({{"who", who_}, {"tasks", tasks_}, {"note", text}});
}

}  // namespace vigil::bench
