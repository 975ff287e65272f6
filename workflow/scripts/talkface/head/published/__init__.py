"""Networks of the talking head as Yi, Ye, Zhang, Bao, Liu 2020 publish them, written from their description."""
