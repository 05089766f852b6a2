"""The mixed-scale dense network of Pelt and Sethian (PNAS 115, 254, 2018), of width one.

Training needs PyTorch (the extra ``torch``); applying a trained network does not.
"""
