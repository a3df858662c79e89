# FC6 trains too, under a frozen FC7: PRE-1512U.
_base_ = './tcnn_voc12_action.py'
model = dict(frozen=('C1', 'C2', 'C3', 'C4', 'C5', 'FC7'))
