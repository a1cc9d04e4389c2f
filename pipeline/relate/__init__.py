"""Experience against money: sales and churn, each with the naive figure beside the adjusted one.

Claims made here, by module: `sales` and `conversion` (sales.*), `churn` and `inactivity` (churn.*),
`leaks` (churn.predictor, churn.refused_predictor). Each module's docstring lists its own.
"""
