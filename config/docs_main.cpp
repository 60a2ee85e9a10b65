// vigil_config_docs schema|reference [FILE]: writes a text derived from the key table to FILE or stdout.
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include "config/documentation.hpp"

int main(int argc, char** argv) {
    const std::string_view what = argc >= 2 ? argv[1] : "";
    if ((what != "schema" && what != "reference") || argc > 3) {
        std::fputs("usage: vigil_config_docs schema|reference [FILE]\n", stderr);
        return 2;
    }
    const std::string text = what == "schema" ? vigil::config::schema() : vigil::config::reference();
    if (argc == 2) return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
    std::ofstream file(argv[2], std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file) std::fprintf(stderr, "vigil_config_docs: cannot write %s\n", argv[2]);
    return file ? 0 : 1;
}
